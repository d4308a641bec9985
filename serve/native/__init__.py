"""The loops that Numba compiles. `serve.kernels` calls them; nothing else imports this package, for Numba is slow to import."""
