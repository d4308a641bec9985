"""Everything that prediction needs, and nothing else."""
