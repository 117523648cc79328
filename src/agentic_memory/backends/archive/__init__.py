"""Raw bodies and recordings in a local folder."""
