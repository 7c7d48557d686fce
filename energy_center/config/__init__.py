"""What a person writes: the site file, its validation and the plan of what applying it would change."""
