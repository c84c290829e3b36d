"""Small trained weights that ship with the package, each with a card beside it that names its training script."""
