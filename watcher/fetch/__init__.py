"""The one way out of the house: guarded requests, and the conditional GET of a feed."""
