"""Rollcall's Django application: courses, rosters, snapshots, rolls."""
