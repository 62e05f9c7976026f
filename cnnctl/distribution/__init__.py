"""Training on several devices: which processes there are, their replicas, and starting them."""
