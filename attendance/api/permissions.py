"""Who may call an operation at all; which objects they reach is decided by ``attendance.permissions``."""

from __future__ import annotations

from django.contrib.auth.models import User
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from attendance import permissions
from attendance.api.authentication import CameraPrincipal


class IsPerson(BasePermission):
    """Signed in with an account of the staff; a camera key opens nothing but the door for photos, a student's
    log-in nothing but their own marks."""

    message = "This address is for the school's staff; a camera key or a student's log-in does not open it."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.user, User) and not permissions.is_student(request.user)


class IsStudent(BasePermission):
    message = "This address is for students' log-ins."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.user, User) and permissions.is_student(request.user)


class IsCamera(BasePermission):
    message = "This address is for cameras: send Authorization: Camera <key>."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.user, CameraPrincipal)


class IsAdministrator(BasePermission):
    message = "Only administrators may do this."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.user, User) and permissions.is_administrator(request.user)
