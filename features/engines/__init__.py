"""The engines that compute features: what each needs beside the shared expressions."""
