"""Signs that plain pdflatex cannot set, or not as text, and what is written for them.

Commands of text fonts beyond OT1 and OMS are left out on purpose: some installations lack those fonts.
"""

from __future__ import annotations

SPECIAL = {
    "\\": r"\textbackslash{}",
    # Not \{: BibTeX counts braces without looking at what stands before them.
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "{''}",
    "`": "{`}",
    # Braces against ligatures, and against what begins a row: \\ reads [ and * as its own.
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
}
"""Signs of ASCII that LaTeX reads as its own, or joins to another sign."""

_MATHEMATICS = """
α alpha   β beta   γ gamma   δ delta   ε varepsilon   ζ zeta   η eta   θ theta   ι iota   κ kappa
λ lambda   μ mu   ν nu   ξ xi   π pi   ρ rho   σ sigma   τ tau   υ upsilon   φ varphi   χ chi   ψ psi
ω omega   Γ Gamma   Δ Delta   Θ Theta   Λ Lambda   Ξ Xi   Π Pi   Σ Sigma   Υ Upsilon   Φ Phi   Ψ Psi
Ω Omega   ς varsigma   ϕ phi   ϵ epsilon   µ mu   ∞ infty   ≤ leq   ≥ geq   ≠ neq   × times   ÷ div   ± pm
· cdot   → rightarrow   ← leftarrow   ↑ uparrow   ↓ downarrow   ↔ leftrightarrow   ≈ approx   ∈ in   ∑ sum
∏ prod   ∂ partial   √ surd   ∇ nabla   ∼ sim   ★ star   ☆ star   † dagger   ‡ ddagger   • bullet   ¬ neg
∩ cap   ∪ cup   ∅ emptyset   ∀ forall   ∃ exists   ℓ ell   ∥ parallel   ✓ surd   ✔ surd
"""
_WRITTEN = r"""
– --   — ---   ‐ -   ‑ -   − $-$   … \ldots{}   ‘ {`}   ’ '   “ {``}   ” {''}   „ {''}   « {''}   » {''}
° $^{\circ}$   ß {\ss}   æ {\ae}   Æ {\AE}   œ {\oe}   Œ {\OE}   ø {\o}   Ø {\O}   å {\aa}   Å {\AA}
ł {\l}   Ł {\L}   ı {\i}   ȷ {\j}   đ d   Đ D   ð d   Ð D   þ th   Þ Th   ħ h   Ħ H   ŧ t   Ŧ T   ŋ n   ĸ k
§ $\S$   ¶ $\P$   © (c)   ® (R)   ™ $^{TM}$   £ GBP   € EUR   ¥ JPY
¡ {!`}   ¿ {?`}   ª $^{a}$   º $^{o}$   ✗ $\times$   ✘ $\times$   ∗ {*}   ⁄ /   ∕ /   ʹ '   ′ $'$   ″ $''$
"""
_CYRILLIC = """
а a   б b   в v   г g   д d   е e   ё e   ж zh   з z   и i   й i   к k   л l   м m   н n   о o   п p   р r
с s   т t   у u   ф f   х kh   ц ts   ч ch   ш sh   щ shch   ъ -   ы y   ь -   э e   ю yu   я ya   і i
ї yi   є ye   ґ g
"""


def _table(text: str) -> dict[str, str]:
    """Pairs of a sign and what stands for it, all between white space."""
    words = text.split()
    return dict(zip(words[::2], words[1::2], strict=True))


MATHEMATICS = _table(_MATHEMATICS)
"""Signs that are commands of mathematics, without the backslash."""

WRITTEN = {**_table(_WRITTEN), "‚": ",", "\u00a0": " "}
"""Signs that are written in another way."""

CYRILLIC = {letter: latin.replace("-", "'") for letter, latin in _table(_CYRILLIC).items()}
"""Small letters in Latin ones."""

ACCENTS = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0304": "=",
    "\u0306": "u ",
    "\u0307": ".",
    "\u0308": '"',
    "\u030a": "r ",
    "\u030b": "H ",
    "\u030c": "v ",
    "\u0323": "d ",
    "\u0326": "c ",  # a comma below, as in Romanian: OT1 has no accent nearer to it
    "\u0327": "c ",
    "\u0331": "b ",
}
"""Commands that set an accent, by combining mark."""

BELOW = frozenset("\u0323\u0326\u0327\u0331")
"""Accents under which i and j keep their dots."""
