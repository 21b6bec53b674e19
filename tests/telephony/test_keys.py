"""Keys that are pressed: while somebody asks for them, before anybody does, and behind them."""

from offhook.routing import plan
from offhook.telephony import keys, port
from tests.telephony.scripted import BOX, CALLER, TWO, Told, prompt, run


def test_keys_interrupt_a_prompt_and_are_gathered():
    async def story(one: Told) -> None:
        await one.answered()
        await one.do(plan.Gather(prompt("menu"), 1, 5, "menu"))
        [played] = one.told(port.Play)
        assert played.files == ("/sounds/menu",)
        await one.say(port.Key(CALLER, "1"))
        assert one.passed() == [plan.Pressed(0, "1")]
        assert one.told(port.Stop) == [port.Stop(CALLER)]

    run(story)


def test_many_keys_end_with_a_pound_or_with_silence():
    async def story(one: Told) -> None:
        await one.answered()
        gather = plan.Gather(prompt("extension"), 4, 5, "extension")
        await one.do(gather)
        for key in "12#":
            await one.say(port.Key(CALLER, key))
        assert one.passed() == [plan.Pressed(0, "12")]
        await one.do(gather)
        played = one.told(port.Play)[-1]
        await one.say(port.Played(CALLER, played.token))
        await one.later(4.9)
        await one.say(port.Key(CALLER, "7"))
        await one.later(4.9)
        assert one.passed() == []
        await one.later(0.1)
        assert one.passed() == [plan.Pressed(0, "7")]

    run(story)


def test_what_is_dialled_on_is_taken_by_what_asks_next_but_for_a_pound_that_ends_nothing_more():
    async def story(one: Told) -> None:
        await one.answered()
        await one.do(plan.Gather(prompt("menu"), 1, 5, "menu"))
        for key in "1262#2":
            await one.say(port.Key(CALLER, key))
        assert one.passed() == [plan.Pressed(0, "1")]
        await one.do(plan.Gather(prompt("name"), 3, 5, "name"))
        assert one.passed() == [plan.Pressed(0, "262")]
        await one.do(plan.Gather(prompt("which of them"), 1, 5, "choice"))
        assert one.passed() == [plan.Pressed(0, "2")]

    run(story)


def test_who_presses_keys_without_end_is_not_remembered_without_end():
    async def story(told: Told) -> None:
        await told.answered()
        for _ in range(keys.MOST + 50):
            told.telephone.heard(port.Key(CALLER, "5"))
        assert len(told.telephone._keys) == keys.MOST

    run(story)


def test_what_was_pressed_while_it_rang_is_no_answer_to_what_is_asked_then():
    async def story(one: Told) -> None:
        await one.answered()
        await one.do(TWO)
        await one.say(port.Key(CALLER, "1"))
        await one.later(20)
        await one.do(plan.Gather(prompt("menu"), 1, 5, "menu"))
        assert one.passed() == [plan.NotAnswered(0)]
        await one.say(port.Key(CALLER, "2"))
        assert one.passed() == [plan.Pressed(0, "2")]

    run(story)


def test_nobody_presses_anything():
    async def story(one: Told) -> None:
        await one.answered()
        await one.do(plan.Gather(prompt("menu"), 1, 5, "menu"))
        await one.later(60)
        assert one.passed() == []
        [played] = one.told(port.Play)
        await one.say(port.Played(CALLER, played.token))
        await one.later(5)
        assert one.passed() == [plan.Pressed(0)]

    run(story)


def test_who_waits_hears_music_and_may_leave_by_a_key():
    async def story(one: Told) -> None:
        await one.answered()
        await one.do(plan.Reserve(BOX, "random", (), (), 1, 0, seconds=60, hear="hold_music", keys="9"))
        [played] = one.told(port.Play)
        assert (played.files, played.times) == (("/sounds/hold_music",), 0)
        await one.say(port.Key(CALLER, "1"))
        assert one.passed() == []
        await one.say(port.Key(CALLER, "9"))
        assert one.passed() == [plan.Pressed(0, "9")]
        await one.do(TWO)
        assert len(one.told(port.Dial)) == 2

    run(story)
