"""What a section takes over from the one above it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .options import AT

if TYPE_CHECKING:
    from .section import Section


def inherit(section: Section, before: Section) -> None:
    """Shapes that were said above hold until they are said anew."""
    section.roles.sizes |= before.roles.sizes - set(section.roles.arrays) - section.roles.indices
    section.facts.logistic |= before.facts.logistic
    section.facts.logistic_keys |= before.facts.logistic_keys
    section.facts.einstein |= before.facts.einstein
    section.facts.bold = {**before.facts.bold, **section.facts.bold}
    for key, properties in before.facts.properties.items():
        if not section.defines(key) and not any(
            section.roles.full_key(n)[0] == key for n, _, r in section.roles.members if r in section.records
        ):
            section.facts.properties.setdefault(key, set()).update(properties)


def inherit_functions(section: Section, before: Section) -> None:
    """Functions given above, and the letters that definitions from above rest on."""
    table, options = section.frame.table, section.frame.options
    free = [n for n in before.frame.table.functions if n not in table.functions]
    free = [n for n in free if not section.defines(n) and not section.said_anew(n)]
    for name in free:
        f = before.frame.table.functions[name]
        if f.kind != "loss" and (name in section.roles.arrays or name not in options):
            table = table.with_function(f)
            options.pop(name, None)
    for name, m in before.frame.table.macros.items():
        if name not in table.macros and not section.defines(name):
            table = replace(table, macros={**table.macros, name: m})
            options.pop(name, None)
    for key, of in before.frame.of.items():
        if key not in section.frame.of and not section.defines(key):
            section.frame.of[key] = of
    work, seen = list(options), set(options)
    while work:
        key = work.pop()
        d = before.definition(key, 10**9) if not section.defines(key.removesuffix(AT)) else None
        for k in before.keys(d.chain) if d is not None and d.made is None else ():
            if k not in seen and k in before.chosen and not table.known(k.removesuffix(AT)):
                seen.add(k)
                options[k] = (before.chosen[k],)
                work.append(k)
    composite = {k: v | table.composite.get(k, frozenset()) for k, v in before.frame.table.composite.items()}
    sizes = {**before.frame.table.sizes, **table.sizes}
    indices = {**before.frame.table.indices, **table.indices}
    indices = {k: v for k, v in indices.items() if k not in options or k in table.indices}
    layers = {**before.frame.table.layers, **table.layers} if not section.roles.layers else table.layers
    layered = {**before.frame.table.layered_sizes, **table.layered_sizes}
    if options:
        table = replace(
            table, composite={**table.composite, **composite}, sizes=sizes, indices=indices, layers=layers,
            layered_sizes=layered,
        )  # fmt: skip
    section.frame.table = table
