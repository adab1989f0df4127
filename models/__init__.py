"""Labels, splits, estimators, evaluation, explanations and tracking; no reading or writing of tables."""
