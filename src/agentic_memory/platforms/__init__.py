"""One folder for each voice platform: wire in, domain out, wire back."""
