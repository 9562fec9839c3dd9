"""For administrators: where the school is, what the law there says, and what follows from it here."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from attendance import law, places, schooltime
from attendance.web.answers import administrators_only, page


@page
@require_http_methods(["GET", "POST"])
def place(request: HttpRequest) -> HttpResponse:
    administrators_only(request)
    if request.method == "POST":
        given = (request.POST.get(name, "") for name in ("country", "region", "institution"))
        places.set_place(*given)
        messages.success(request, _("Where the school is is stored."))
        return redirect("web:place")
    school = schooltime.get_school()
    context = {
        "school": school,
        "rules": law.rules_for(places.place_of(school)),
        "regions": law.REGIONS,
        "institutions": law.INSTITUTIONS,
        "asks_region": school.country in law.REGIONS and not school.region,
    }
    return render(request, "web/place.html", context)
