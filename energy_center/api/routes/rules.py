"""Parameters of rules: compared over the past, adopted, taken back; and whether past alarms were right."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from energy_center.api.deps import AlarmOperator, Data, Doer, Now, RuleTuner, Viewer
from energy_center.api.fields import AlarmId, Line, Words
from energy_center.services import tune_rules
from energy_center.services.tune_rules import Adoption, Comparison, RuleName, RuleTuning

router = APIRouter(tags=["rules"])

RuleId = Annotated[Line, Path(max_length=100, examples=["night-base-load"])]
_Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
_Finite = Annotated[float, Field(allow_inf_nan=False, ge=-1e9, le=1e9)]


def _filled(given: object) -> object:
    """Forms send an empty text for what is left as it is."""
    return {k: v for k, v in given.items() if v != ""} if isinstance(given, dict) else given


Numbers = Annotated[dict[Line, _Finite], BeforeValidator(_filled), Field(max_length=50)]
Place = Annotated[Line | None, BeforeValidator(lambda given: None if given == "" else given)]


class Question(BaseModel):
    """Two parameter sets; what is left out is as it is now."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"days": 30, "first": {}, "second": {"hold": 1800}}]}
    )

    days: int = Field(default=7, ge=1, le=366, description="How far back.")
    first: Numbers = {}
    second: Numbers = {}
    equipment_id: Place = Field(default=None, max_length=100)


class NewAdoption(BaseModel):
    """Parameters to put in force, for the site or for one equipment."""

    parameters: Numbers
    reason: Words = Field(min_length=1, max_length=500)
    equipment_id: Place = Field(default=None, max_length=100)


class Said(BaseModel):
    """What a person found."""

    was_right: bool


@router.get("/rules", summary="The rules", name="list_rules")
async def list_rules(_: Viewer, data: Data) -> list[RuleName]:
    """The catalogue, and for which rules people adopted parameters."""
    return await tune_rules.list_rules(data)


@router.get("/rules/{rule_id}", summary="One rule's parameters", name="read_rule")
async def read_rule(_: Viewer, rule_id: RuleId, data: Data) -> RuleTuning:
    """Defaults, what is in force, what was adopted and compared, and its newest alarms."""
    return await tune_rules.read_tuning(data, rule_id)


@router.post("/rules/{rule_id}/comparisons", status_code=202, summary="Compare", name="compare_rule")
async def compare_rule(
    _: RuleTuner, rule_id: RuleId, asked: Question, data: Data, doer: Doer, now: Now
) -> Comparison:
    """The worker runs both sets over the same past; read the comparison for its progress and result."""
    sets = (asked.first, asked.second)
    return await tune_rules.ask_comparison(data, rule_id, asked.equipment_id, asked.days, sets, doer, now)


@router.get("/comparisons/{comparison_id}", summary="One comparison", name="read_comparison")
async def read_comparison(_: Viewer, comparison_id: _Number, data: Data) -> Comparison:
    """How far it is, or what came of it."""
    return await tune_rules.read_comparison(data, comparison_id)


@router.post("/comparisons/{comparison_id}/cancel", summary="Cancel it", name="cancel_comparison")
async def cancel_comparison(
    _: RuleTuner, comparison_id: _Number, data: Data, doer: Doer, now: Now
) -> Comparison:
    """409 when it is over."""
    return await tune_rules.cancel_comparison(data, comparison_id, doer, now)


@router.post("/rules/{rule_id}/adoptions", status_code=201, summary="Adopt parameters", name="adopt_rule")
async def adopt_rule(
    _: RuleTuner, rule_id: RuleId, new: NewAdoption, data: Data, doer: Doer, now: Now
) -> Adoption:
    """In force from the rules' next run on, before the site file's."""
    return await tune_rules.adopt(data, rule_id, new.equipment_id, new.parameters, new.reason, doer, now)


@router.post("/adoptions/{adoption_id}/undo", summary="Take an adoption back", name="undo_adoption")
async def undo_adoption(_: RuleTuner, adoption_id: _Number, data: Data, doer: Doer, now: Now) -> Adoption:
    """What held before holds again; 409 when it was undone before."""
    return await tune_rules.undo(data, adoption_id, doer, now)


@router.put("/alarms/{alarm_id}/verdict", status_code=204, summary="Was it right?", name="say_verdict")
async def say_verdict(
    _: AlarmOperator, alarm_id: AlarmId, said: Said, data: Data, doer: Doer, now: Now
) -> Response:
    """The truth that comparisons are scored against; a later word replaces an earlier one."""
    await tune_rules.say_verdict(data, alarm_id, doer, now, was_right=said.was_right)
    return Response(status_code=204)
