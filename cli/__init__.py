"""The `kanal` command, a file a group of commands."""
