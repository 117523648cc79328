"""What a ringing phone needs of AWS, without an SDK: importing one costs more than a ring may wait."""
