"""How remembering works, on ports alone: extract, reconcile, recall, brief."""
