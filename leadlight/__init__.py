"""The kernel: what two or more packages of the platform share. Importing it does no work."""
