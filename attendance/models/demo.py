"""What the demo made: nobody in it is a pupil, and that is known by more than a name."""

from __future__ import annotations

from django.db import models

from attendance.models.school import Course, Student


class MadeUpClass(models.Model):
    """The built-in demo class as it was made. A demo of somebody's own photos is none."""

    course = models.OneToOneField(Course, on_delete=models.CASCADE, related_name="made_up")
    students = models.ManyToManyField(Student, related_name="+")
    camera_key_hash = models.CharField(max_length=64)
    """Of the key that only the demo's own program ever held: its photos came with no other."""

    def __str__(self) -> str:
        return f"{self.course} as the demo made it"
