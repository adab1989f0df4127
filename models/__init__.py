"""Labels, splits, estimators, evaluation, explanations and tracking; no job reads or writes here."""
