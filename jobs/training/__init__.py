"""The training of the model of each kind of subject."""
