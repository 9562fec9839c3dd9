"""What people's corrections say about recognition in a room: how often it is right, and what another strictness
would have changed."""
