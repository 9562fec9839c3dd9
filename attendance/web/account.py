"""Signing in and out; one's own account: password, second factor, tokens for scripts."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from attendance import api_tokens, second_factor
from attendance.models import ApiToken, Authenticator
from attendance.web import again, guesses
from attendance.web.answers import page, user_of
from attendance.web.asked import number
from attendance.web.forms import OwnPasswordForm, SignInForm


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


@page
@require_GET
def account(request: HttpRequest) -> HttpResponse:
    return _account(request)


@page
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """A new password; every other browser of this person is signed out by it."""
    if request.method == "POST" and guesses.are_closed(request):
        return guesses.shut_out(request)
    form = OwnPasswordForm(user_of(request), request.POST if request.method == "POST" else None)
    if form.is_valid():
        form.save()
        update_session_auth_hash(request, user_of(request))
        messages.success(request, _("The password is changed. Other browsers are signed out."))
        return redirect("web:account")
    if "old_password" in form.errors and guesses.count_one(request):
        return guesses.shut_out(request)
    return render(request, "web/password.html", {"form": form})


@page
@require_POST
def make_token(request: HttpRequest) -> HttpResponse:
    """A token is shown on the answer to this form and never again. It takes the password: whoever finds a browser left
    open makes none.
    """
    if guesses.are_closed(request):
        return guesses.shut_out(request)
    if not user_of(request).check_password(request.POST.get("password", "")):
        if guesses.count_one(request):
            return guesses.shut_out(request)
        messages.error(request, _("This is not the password you have now."))
        return redirect("web:account")
    days = number(request.POST.get("days")) or 0
    made, text = api_tokens.make(user_of(request), request.POST.get("name", ""), days)
    return _account(request, made, text)


@page
@require_POST
def end_token(request: HttpRequest, token_id: int) -> HttpResponse:
    api_tokens.revoke(get_object_or_404(ApiToken, pk=token_id, owner=user_of(request)))
    messages.success(request, _("The token opens nothing from now on."))
    return redirect("web:account")


def _account(request: HttpRequest, made: ApiToken | None = None, text: str = "") -> HttpResponse:
    user = user_of(request)
    context = {
        "device": Authenticator.objects.filter(user=user, confirmed=True).first(),
        "codes_left": second_factor.codes_left(user),
        "needed": second_factor.needed(user),
        "asks_password": not again.is_recent(request),
        "made": made,
        "text": text,
        "tokens": api_tokens.alive(user),
        "ended": api_tokens.ended(user),
        "lasts": api_tokens.DAYS,
        "server": request.build_absolute_uri("/").rstrip("/"),
    }
    response = render(request, "web/account.html", context)
    response["Cache-Control"] = "no-store"
    return response
