"""The page of one person's data, by telephone number: what there is, all of it as a file, and deleting it."""

from dataclasses import dataclass

from flask import Blueprint, Response, g, request
from werkzeug.wrappers import Response as AnyResponse

from ivr.calls.personal_data import STAYS, PersonalData, called, words_of
from ivr.core.stray_cards import is_card_typed
from ivr.errors import RecordError
from ivr.portal.finding import CARD
from ivr.portal.pages import LONGEST_TYPED, Pages
from ivr.store import Person


@dataclass(frozen=True)
class PersonPages:
    """A number comes in forms only, never in an address: those are in logs and histories. Deleting asks twice."""

    pages: Pages

    def show(self, told: str = "", problem: str = "", found: Person | None = None, number: str = "") -> AnyResponse:
        """`found`: of `number`, to be handed out or deleted."""
        status = 409 if problem else 200
        values = {"found": found, "number": number, "shown": called(number), "stays": STAYS}
        return self.pages.page("person.html", status, told=told, problem=problem, longest=LONGEST_TYPED, **values)

    def find(self) -> AnyResponse:
        """On record, as every search by a caller's number is, whether or not something is found."""
        try:
            number = self.asked()
            found = self.data.look_for(number, g.person.name, self.pages.asker.now())
        except RecordError as error:
            return self.show(problem=str(error))
        return self.show(found=found, number=number)

    def export(self) -> AnyResponse:
        try:
            text = self.data.export(self.asked(), g.person.name, self.pages.asker.now())
        except RecordError as error:
            return self.show(problem=str(error))
        made = Response(f"{text}\n", mimetype="application/json")
        made.headers["Content-Disposition"] = 'attachment; filename="personal-data.json"'
        return made

    def delete(self) -> AnyResponse:
        """The form that finds a number has shown what goes and what stays; its button is the second press."""
        try:
            done = self.data.delete(self.asked(), g.person.name, self.pages.asker.now())
        except RecordError as error:
            return self.show(problem=str(error))
        return self.show(told=words_of(done))

    def asked(self) -> str:
        number = request.form.get("number", "").strip()[:LONGEST_TYPED]
        if is_card_typed(number):
            raise RecordError(CARD)
        return number

    @property
    def data(self) -> PersonalData:
        return PersonalData(self.pages.store, self.pages.finder.hash_caller)


def add_person_pages(blueprint: Blueprint, pages: Pages) -> None:
    persons = PersonPages(pages)
    blueprint.add_url_rule("/person", "person", persons.show, methods=["GET"])
    blueprint.add_url_rule("/person", "find_person", persons.find, methods=["POST"])
    blueprint.add_url_rule("/person/export", "export_person", persons.export, methods=["POST"])
    blueprint.add_url_rule("/person/delete", "delete_person", persons.delete, methods=["POST"])
