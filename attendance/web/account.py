"""Signing in and out."""

from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from attendance.web.forms import SignInForm


class SignIn(LoginView):
    template_name = "registration/login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True


class SignOut(LogoutView):
    """Sign out; pictures this browser kept for a few minutes go as well."""

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:  # type: ignore[override]
        response = super().post(request, *args, **kwargs)
        if isinstance(response, HttpResponse):
            response["Clear-Site-Data"] = '"cache"'
        return response
