"""ElevenLabs Agents."""
