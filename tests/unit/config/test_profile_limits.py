from energy_center.config.profile_model import Limits


def test_holes_move_with_the_equipments_base() -> None:
    limits = Limits.model_validate({"holes": [[10, 19], [40, 40]]})
    assert limits.resolved(100).holes == ((110, 119), (140, 140))
