"""Doxygen's XML made ready for pages with a section a header."""

import copy
import re
import xml.etree.ElementTree as xml
from collections import defaultdict

SECTIONS = {"function": "func", "enum": "enum", "typedef": "typedef", "variable": "var"}


def namespace_members(folder):
    """{header: its members}. Doxygen files them under their namespace, which many headers share.

    Names become fully qualified, since the sections of the site stand in no namespace.
    """
    found = defaultdict(list)
    for path in sorted(folder.glob("namespace*.xml")):
        namespace = xml.parse(path).find("compounddef")
        for member in namespace.iter("memberdef"):
            member = copy.deepcopy(member)
            name = member.find("name")
            name.text = f"{namespace.findtext('compoundname')}::{name.text}"
            found[member.find("location").get("file")].append(member)
    for members in found.values():
        members.sort(key=lambda member: int(member.find("location").get("line")))
    return found


def list_members(header, members):
    """Puts the members in place of the namespaces of a header."""
    for namespace in header.findall("innernamespace"):
        header.remove(namespace)
    place = list(header).index(header.find("briefdescription"))
    for kind, section in SECTIONS.items():
        element = xml.Element("sectiondef", kind=section)
        element.extend(member for member in members if member.get("kind") == kind)
        if len(element):
            header.insert(place, element)
            place += 1


def describe_designated_defaults(compound):
    """Sphinx cannot read `= {.source_ohm = 500}`: such a default is told in the description."""
    for member in compound.iter("memberdef"):
        initializer = member.find("initializer")
        if initializer is None or not re.search(r"\{\s*\.", "".join(initializer.itertext())):
            continue
        member.remove(initializer)
        sentence = xml.Element("para")
        sentence.text = "Default: "
        code = xml.SubElement(sentence, "computeroutput")
        code.text = " ".join("".join(initializer.itertext()).split()).lstrip("= ")
        member.find("detaileddescription").insert(0, sentence)


def prepared(folder):
    """{file name: XML text} of everything that Doxygen wrote into `folder`."""
    members = namespace_members(folder)
    found = {}
    for path in sorted(folder.glob("*.xml")):
        tree = xml.parse(path)
        compound = tree.find("compounddef")
        if compound is not None:
            if compound.get("kind") == "file":
                list_members(compound, members[compound.find("location").get("file")])
            describe_designated_defaults(compound)
        found[path.name] = xml.tostring(tree.getroot(), encoding="unicode")
    return found
