"""Takes the whole catalogue of duties on for what a site has, so that nobody has to copy a list by hand."""

from collections.abc import Iterator
from datetime import date, datetime

from energy_center.config.load_duties import shipped_duties
from energy_center.domain.duties import Subject
from energy_center.domain.duty_records import Adoption
from energy_center.domain.people import Actor
from energy_center.domain.site import Site
from energy_center.errors import Conflict
from energy_center.services.current_site import current_site
from energy_center.services.duties import adopt
from energy_center.store.pool import Database

_CLASSES = {
    Subject.LIFT: "Elevator",
    Subject.GENERATOR: "Emergency_Generator",
    Subject.COOLING_TOWER: "Cooling_Tower",
}


def subjects(site: Site, subject: Subject) -> Iterator[str]:
    """The ids of what a duty is done for; none for things that a site file does not hold, such as an AED."""
    if subject is Subject.SITE:
        yield site.site_id
    elif subject is Subject.BUILDING:
        yield from (building.space_id for building in site.buildings)
    elif subject in _CLASSES:
        yield from (e.equipment_id for e in site.equipment if e.brick_class == _CLASSES[subject])


async def adopt_catalogue(db: Database, starts_on: date, actor: Actor, now: datetime) -> list[Adoption]:
    """Take every duty on that is not taken on yet, for each thing of the site that it concerns."""
    site = await current_site(db)
    made = []
    for duty in shipped_duties().values():
        for subject_id in subjects(site, duty.subject):
            try:
                made.append(await adopt(db, duty.duty_id, subject_id, starts_on, actor, now))
            except Conflict:  # taken on before: left as it is
                continue
    return made
