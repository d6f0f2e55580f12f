"""optuna-dashboard over a store, behind a door of our own: optuna-dashboard has no login."""
