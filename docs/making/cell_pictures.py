"""One step of each cell as a picture: ``python docs/making/cell_pictures.py`` writes docs/pictures/cells/*.svg.

Blue is the state, orange the input, green a memory that is not the output; gates are gray.
"""

from pathlib import Path

from step import GATE, INPUT, MEMORY, STATE, Step, bus, output, up
from svg import write

FOLDER = Path(__file__).parents[1] / "pictures" / "cells"


def elman() -> Step:
    step = Step("One step of an Elman cell: W_h h and W_x x + b are added and go through phi", 270)
    step.entering(100, "h")
    step.wire((42, 100), (201, 100), color=STATE)
    step.gate(230, 100, "W_h", "product")
    step.wire((259, 100), (336, 100), color=STATE)
    step.sign(350, 100, "+")
    step.wire((350, 240), (350, 201), color=INPUT)
    step.gate(350, 180, "W_x, b", "product", 70)
    step.wire((350, 159), (350, 114), color=INPUT)
    step.text(350, 254, "x", size=17, color=INPUT, weight="600", style="italic")
    step.wire((364, 100), (441, 100))
    step.gate(470, 100, "a", "phi")
    step.wire((499, 100), (680, 100), color=STATE)
    output(step, 580, 100, 6)
    step.leaving(100, "h")
    return step


def mix(step: Step, product: int) -> None:
    """Draw how n and the old h are mixed by z: n reads what comes from the right end of a product."""
    up(step, 400, 290, 256)
    step.gate(400, 235, "z", "sigmoid")
    step.wire((400, 214), (400, 84))
    step.sign(400, 70, "×")
    step.dot(400, 125, GATE)
    step.wire((400, 125), (440, 125))
    step.sign(454, 125, "1−")
    step.wire((468, 125), (526, 125))
    step.wire((product, 185), (441, 185))
    step.wire((470, 290), (470, 206), color=INPUT)
    step.gate(470, 185, "n", "tanh")
    step.wire((499, 185), (540, 185), (540, 139))
    step.sign(540, 125, "×")
    step.wire((540, 111), (540, 84))
    step.sign(540, 70, "+")
    step.wire((414, 70), (526, 70), color=STATE)
    step.wire((554, 70), (680, 70), color=STATE)
    output(step, 600, 70, 6)
    step.leaving(70, "h")


def gru() -> Step:
    step = Step("One step of a GRU: r resets part of what n sees of h; z mixes the old h with n", 350)
    step.entering(70, "h")
    bus(step, 290, 471, from_h=70, bottom=324, h_end=404)
    step.wire((42, 70), (386, 70), color=STATE)
    step.dot(310, 70)
    step.wire((310, 70), (310, 99), color=STATE)
    step.gate(310, 120, "W_n, b_h", "product", 92)
    step.wire((310, 141), (310, 171), color=STATE)
    step.sign(310, 185, "×")
    up(step, 190, 290, 256)
    step.gate(190, 235, "r", "sigmoid")
    step.wire((190, 214), (190, 185), (296, 185))
    mix(step, 324)
    return step


def reset_first_gru() -> Step:
    step = Step("One step of a ResetFirstGRU: r resets part of h before n sees it; z mixes the old h with n", 350)
    step.entering(70, "h")
    bus(step, 290, 471, from_h=70, bottom=324, h_end=404)
    step.wire((42, 70), (386, 70), color=STATE)
    step.dot(310, 70)
    step.wire((310, 70), (310, 106), color=STATE)
    step.sign(310, 120, "×")
    up(step, 190, 290, 256)
    step.gate(190, 235, "r", "sigmoid")
    step.wire((190, 214), (190, 120), (296, 120))
    step.wire((310, 134), (310, 164))
    step.gate(310, 185, "W_n", "product", 92)
    mix(step, 356)
    return step


def lstm() -> Step:
    step = Step("One step of an LSTM: f keeps of the memory c, i writes g to it, o lets tanh(c) out as h", 360)
    step.entering(70, "c", MEMORY)
    step.entering(305, "h")
    step.wire((42, 305), (98, 305), color=STATE, arrow=False)
    bus(step, 300, 520, from_h=305, bottom=334)
    step.wire((42, 70), (216, 70), color=MEMORY)
    for x, name, function in ((230, "f", "sigmoid"), (320, "i", "sigmoid"), (430, "g", "tanh"), (520, "o", "sigmoid")):
        up(step, x, 300, 261)
        step.gate(x, 240, name, function)
    step.wire((230, 219), (230, 84))
    step.sign(230, 70, "×")
    step.wire((244, 70), (361, 70), color=MEMORY)
    step.sign(375, 70, "+")
    step.wire((320, 219), (320, 145), (361, 145))
    step.wire((430, 219), (430, 145), (389, 145))
    step.sign(375, 145, "×")
    step.wire((375, 131), (375, 84))
    step.wire((389, 70), (680, 70), color=MEMORY)
    step.dot(585, 70, MEMORY)
    step.wire((585, 70), (585, 104), color=MEMORY)
    step.gate(585, 125, "tanh", "")
    step.wire((585, 146), (585, 176), color=MEMORY)
    step.wire((520, 219), (520, 190), (571, 190))
    step.sign(585, 190, "×")
    step.wire((585, 204), (585, 305), (680, 305), color=STATE)
    output(step, 612, 305, 352)
    step.leaving(70, "c", MEMORY)
    step.leaving(305, "h")
    return step


def mingru() -> Step:
    step = Step("One step of a MinGRU: u mixes the old h with n; neither sees h", 320)
    step.entering(70, "h")
    bus(step, 265, 480, from_h=None, bottom=294)
    step.wire((42, 70), (266, 70), color=STATE)
    up(step, 280, 265, 236, h=False)
    step.gate(280, 215, "u", "sigmoid")
    step.wire((280, 194), (280, 129))
    step.sign(280, 115, "1−")
    step.wire((280, 101), (280, 84))
    step.sign(280, 70, "×")
    step.dot(280, 155, GATE)
    step.wire((280, 155), (466, 155))
    up(step, 480, 265, 236, h=False)
    step.gate(480, 215, "n", "linear")
    step.wire((480, 194), (480, 169))
    step.sign(480, 155, "×")
    step.wire((480, 141), (480, 84))
    step.sign(480, 70, "+")
    step.wire((294, 70), (466, 70), color=STATE)
    step.wire((494, 70), (680, 70), color=STATE)
    output(step, 580, 70, 6)
    step.leaving(70, "h")
    return step


def minlstm() -> Step:
    step = Step("One step of a MinLSTM: f and i, divided by their sum, mix the old h with n; none sees h", 320)
    step.entering(70, "h")
    bus(step, 265, 480, from_h=None, bottom=294)
    step.wire((42, 70), (236, 70), color=STATE)
    for x, name, function in ((220, "f", "sigmoid"), (320, "i", "sigmoid"), (480, "n", "linear")):
        up(step, x, 265, 236, h=False)
        step.gate(x, 215, name, function)
    step.wire((220, 194), (220, 162))
    step.wire((320, 194), (320, 162))
    step.gate(270, 140, "f : i", "divided by f + i", 140)
    step.wire((250, 119), (250, 84))
    step.sign(250, 70, "×")
    step.wire((340, 140), (466, 140))
    step.wire((480, 194), (480, 154))
    step.sign(480, 140, "×")
    step.wire((480, 126), (480, 84))
    step.sign(480, 70, "+")
    step.wire((264, 70), (466, 70), color=STATE)
    step.wire((494, 70), (680, 70), color=STATE)
    output(step, 580, 70, 6)
    step.leaving(70, "h")
    return step


def lru() -> Step:
    step = Step(
        "One step of an LRU: the complex memory s turns by lam and takes gamma W_x x; y is read from it and x", 330
    )
    step.entering(70, "s", MEMORY)
    bus(step, 275, 530, from_h=None, bottom=304)
    step.wire((42, 70), (216, 70), color=MEMORY)
    step.gate(230, 150, "lam", "turns, fades", 92)
    step.wire((230, 129), (230, 84))
    step.sign(230, 70, "×")
    step.wire((244, 70), (366, 70), color=MEMORY)
    step.sign(380, 70, "+")
    step.wire((380, 275), (380, 171), color=INPUT)
    step.gate(380, 150, "gamma W_x, b", "product", 132)
    step.wire((380, 129), (380, 84), color=INPUT)
    step.wire((394, 70), (680, 70), color=MEMORY)
    step.dot(530, 70, MEMORY)
    step.wire((530, 70), (530, 119), color=MEMORY)
    step.gate(530, 140, "C", "real part")
    step.wire((530, 161), (530, 181), color=STATE)
    step.sign(530, 195, "+")
    step.wire((530, 275), (530, 256), color=INPUT)
    step.gate(530, 238, "W_skip", "product", 70)
    step.wire((530, 217), (530, 209), color=INPUT)
    step.wire((544, 195), (680, 195), color=STATE)
    step.leaving(70, "s", MEMORY)
    step.leaving(195, "y")
    return step


def slstm() -> Step:
    step = Step("One step of an sLSTM: as an LSTM, with exponential gates in a common unit m and a normalizer n", 420)
    step.entering(60, "c", MEMORY)
    step.entering(120, "n", MEMORY)
    step.entering(214, "m", MEMORY)
    step.entering(365, "h")
    step.wire((42, 365), (98, 365), color=STATE, arrow=False)
    bus(step, 360, 560, from_h=365, bottom=394)
    step.wire((42, 60), (286, 60), color=MEMORY)
    step.wire((42, 120), (206, 120), color=MEMORY)
    step.wire((42, 214), (180, 214), color=MEMORY)
    for x, name, function in (
        (220, "f", "log sigmoid"),
        (320, "i", "linear"),
        (440, "z", "tanh"),
        (560, "o", "sigmoid"),
    ):
        up(step, x, 360, 321)
        step.gate(x, 300, name, function, 78 if name == "f" else 58)
    step.wire((220, 279), (220, 227))
    step.wire((320, 279), (320, 227))
    step.gate(270, 205, "exp( · − m)", "m is the larger of both", 180)
    step.wire((250, 184), (250, 160), (220, 160), (220, 134))
    step.dot(250, 160, GATE)
    step.wire((250, 160), (300, 160), (300, 74))
    step.sign(220, 120, "×")
    step.sign(300, 60, "×")
    step.wire((360, 195), (426, 195))
    step.dot(385, 195, GATE)
    step.wire((385, 195), (385, 134))
    step.sign(385, 120, "+")
    step.wire((440, 279), (440, 209))
    step.sign(440, 195, "×")
    step.wire((440, 181), (440, 74))
    step.sign(440, 60, "+")
    step.wire((360, 217), (680, 217), color=MEMORY)
    step.wire((314, 60), (426, 60), color=MEMORY)
    step.wire((234, 120), (371, 120), color=MEMORY)
    step.wire((454, 60), (680, 60), color=MEMORY)
    step.wire((399, 120), (680, 120), color=MEMORY)
    step.dot(510, 60, MEMORY)
    step.dot(510, 120, MEMORY)
    step.wire((510, 60), (510, 76), color=MEMORY, arrow=False)
    step.wire((510, 120), (510, 104), color=MEMORY, arrow=False)
    step.sign(510, 90, "÷")
    step.wire((524, 90), (546, 90), color=MEMORY)
    step.wire((560, 279), (560, 104))
    step.sign(560, 90, "×")
    step.wire((574, 90), (605, 90), (605, 365), (680, 365), color=STATE)
    output(step, 624, 365, 412)
    for y, name in ((60, "c"), (120, "n"), (217, "m")):
        step.leaving(y, name, MEMORY)
    step.leaving(365, "h")
    return step


def lem() -> Step:
    step = Step(
        "One step of an LEM: s moves z towards its candidate, then t moves h towards one that reads the new z", 420
    )
    step.entering(60, "z", MEMORY)
    step.entering(175, "h")
    bus(step, 360, 571, from_h=175, bottom=394, h_end=444)
    step.wire((42, 60), (186, 60), color=MEMORY)
    step.wire((42, 175), (426, 175), color=STATE)
    for x, name, function in ((200, "s", "dt sigmoid"), (310, "z'", "tanh"), (440, "t", "dt sigmoid")):
        up(step, x, 360, 331)
        step.gate(x, 310, name, function, 76)
    step.wire((200, 289), (200, 121))
    step.dot(200, 140, GATE)
    step.sign(200, 107, "1−")
    step.wire((200, 93), (200, 74))
    step.sign(200, 60, "×")
    step.wire((200, 140), (296, 140))
    step.wire((310, 289), (310, 154))
    step.sign(310, 140, "×")
    step.wire((310, 126), (310, 74))
    step.sign(310, 60, "+")
    step.wire((214, 60), (296, 60), color=MEMORY)
    step.wire((324, 60), (680, 60), color=MEMORY)
    step.dot(375, 60, MEMORY)
    step.wire((375, 60), (375, 272), (505, 272), (505, 310), (532, 310), color=MEMORY)
    step.wire((570, 360), (570, 331), color=INPUT)
    step.gate(570, 310, "h'", "tanh", 76)
    step.wire((440, 289), (440, 232))
    step.dot(440, 252, GATE)
    step.sign(440, 218, "1−")
    step.wire((440, 204), (440, 189))
    step.sign(440, 175, "×")
    step.wire((440, 252), (556, 252))
    step.wire((570, 289), (570, 266))
    step.sign(570, 252, "×")
    step.wire((570, 238), (570, 189))
    step.sign(570, 175, "+")
    step.wire((454, 175), (556, 175), color=STATE)
    step.wire((584, 175), (680, 175), color=STATE)
    output(step, 612, 175, 6)
    step.leaving(60, "z", MEMORY)
    step.leaving(175, "h")
    return step


def antisymmetric() -> Step:
    step = Step("One step of an antisymmetric cell: h moves by a small step in a direction that turns it", 310)
    step.entering(70, "h")
    step.wire((42, 70), (541, 70), color=STATE)
    step.dot(130, 70)
    step.wire((130, 70), (130, 150), (169, 150), color=STATE)
    step.gate(240, 150, "W", "W_h − W_hᵀ − diffusion", 162)
    step.wire((321, 150), (361, 150), color=STATE)
    step.sign(375, 150, "+")
    step.wire((375, 280), (375, 241), color=INPUT)
    step.gate(375, 220, "W_x, b", "product", 70)
    step.wire((375, 199), (375, 164), color=INPUT)
    step.text(375, 294, "x", size=17, color=INPUT, weight="600", style="italic")
    step.wire((389, 150), (426, 150))
    step.gate(455, 150, "a", "tanh")
    step.wire((484, 150), (518, 150))
    step.gate(555, 150, "step", "times step_size", 100)
    step.wire((555, 129), (555, 84))
    step.sign(555, 70, "+")
    step.wire((569, 70), (680, 70), color=STATE)
    output(step, 605, 70, 6)
    step.leaving(70, "h")
    return step


PICTURES = (elman, gru, reset_first_gru, lstm, mingru, minlstm, lru, slstm, lem, antisymmetric)


if __name__ == "__main__":
    write(FOLDER, PICTURES)
