"""A page as what its reader sees, in order: headings, paragraphs, items, rows, verbatim text, form fields.

One loop over the tags with explicit stacks: nesting of any depth costs nothing. Nothing that a browser can show is
left out: hidden elements and templates are what a script shows at a click, and saved pages hold their contents in them.
They are marked, so that a message that nobody sees is not read as one that stands there.
"""

from __future__ import annotations

from headroom_cli.compressors.pages import states
from headroom_cli.compressors.pages.fields import field, picture, selection
from headroom_cli.compressors.pages.grid import DEEPEST, Grid
from headroom_cli.compressors.pages.items import CLOSE, FIELD, HEAD, ITEM, NAV, OPEN, TEXT, VERBATIM, Item
from headroom_cli.compressors.pages.scan import attribute, decoded, tags
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_BLOCKS = (
    "address", "article", "aside", "blockquote", "body", "center", "dialog", "div", "dl", "dt", "fieldset",
    "figcaption", "figure", "footer", "form", "frameset", "head", "header", "hgroup", "hr", "html", "legend", "main",
    "p", "section", "summary", "details", "template", "search", "menu", "noscript", "video", "audio", "canvas",
    "object",
    "optgroup", "datalist", "caption", "thead", "tbody", "tfoot",
)  # fmt: skip
_LANGUAGE = pattern(r"\b(?:language|lang|highlight-source|highlight|brush|sourceCode)[-: ]{1,2}([\w+#]{1,20})")

_MENU = 160  # characters of one entry of a menu, marks of links included


class Walker:
    """One walk; its fields say what was found."""

    def __init__(self, text: str) -> None:
        """Read the whole page. Linear in its length, whatever is unclosed in it."""
        self.items: list[Item] = []
        self.title = self.url = self.described = self.refresh = ""
        self.scripts: list[tuple[int, int, str]] = []  # where the text of each script stands, and its tag
        self.urls: list[str] = []  # the text of the tag of each link
        self.linked = 0  # characters in links
        self.shown = 0  # characters
        self.tags = 0
        self.between = 0  # characters between the tags, but for scripts and styles
        self.text = text.replace(OPEN, "").replace(CLOSE, "") if OPEN in text or CLOSE in text else text
        self._buffer: list[str] = []
        self._aside: list[str] = []  # text that is not for the open line: of scripts, of drawings, of choices
        self._into = self._buffer
        self._grids: list[Grid] = []
        self._deeper = 0
        self._lists: list[states.Numbers | None] = []  # of each open list, None for one without numbers
        self._counted = 0  # lists whose length was looked up
        self._hidden = False  # lines are marked
        self._marked = -1  # place in the open line behind the mark of a part of it that is hidden
        self._struck = False  # the open text is struck through
        self._prefix = ""
        self._level = 0  # of the open heading
        self._nav = 0
        self._link = -1
        self._link_at = 0
        self._raw = ""
        self._raw_tag = (0, 0)
        self._before: list[str] = self._buffer  # where text went before the raw element
        self._language = ""
        self._listing = ""  # where the open link in verbatim text leads
        self._select = ""
        self._alts: set[str] = set()
        self._acts = self._flow = self._in_flow()
        self._verbatim = self._in_verbatim()
        self._drawing = self._in_drawing()
        self._choices = self._in_choices()
        self._run()

    def _run(self) -> None:
        text = self.text
        at = count = between = depth = 0
        hidden = closing = ""  # the hidden element that is open, and its end
        places = iter(states.hiding(text))
        hides = next(places)
        for start, end, name, after in tags(text):
            count += 1
            if start > at:
                piece = text[at:start]
                between += start - at
                into = self._into
                # Blanks at the start of a line are no text; between the tags of a page is little else.
                if into or into is not self._buffer or not piece.isspace():
                    into.append(piece)
            if self._raw:
                if self._raw in ("script", "style"):
                    between -= start - at
                self._end_raw(at, start)
            at = end
            act = self._acts.get(name)
            if act is not None:
                act(start, end, after, name)
            if hidden:
                if name == closing:
                    depth -= 1
                elif name == hidden:
                    depth += hidden not in states.ENDED
                if not depth or (name in states.ENDS and hidden in states.ENDED):
                    hidden = ""
                    self._show()
            if hides < end:
                while hides < start:
                    hides = next(places)
                if hides < end:
                    if not hidden and states.is_hidden(name, text[after : end - 1]):
                        hidden, closing, depth = name, "/" + name, 1
                        self._hide(name)
                    while hides < end and hides < len(text):
                        hides = next(places)
        self.tags = count
        self.between = between + len(text) - at
        if at < len(text):
            self._into.append(text[at:])
        if self._raw:
            self._end_raw(at, len(text))
        if self._acts is self._verbatim:
            self._end_pre(0, 0, 0, "")
        elif self._acts is self._choices:
            self._end_select(0, 0, 0, "")
        elif self._acts is self._drawing:
            self._buffer.extend(self._aside)  # a drawing without an end: its text may be the page's
        self._flush()
        while self._grids:
            self._shut()

    # The lines

    def _flush(self) -> None:
        """End the open line."""
        buffer = self._buffer
        if not buffer:
            return
        if self._link >= 0:
            self._end_link()
        if self._marked >= 0:
            self._end_mark()
            self._hidden = True
        if self._struck:
            self._end_strike(0, 0, 0, "")
            self._struck = True
            if not buffer:
                buffer.append("~~")
                return
        elif not buffer:
            return
        line = "".join(buffer) if len(buffer) > 1 else buffer[0]
        buffer.clear()
        if self._link >= 0:  # around several lines: the first with words is the link
            buffer.append(OPEN)
            self._link_at = 1
        if self._struck:
            buffer.append("~~")
        if "&" in line:
            line = decoded(line)
        line = " ".join(line.split())
        if not line.strip(f"{OPEN} "):  # nothing, or links without words
            return
        if self._hidden:
            line = f"[hidden] {line}"
        self.shown += len(line)
        item: Item
        if self._level:
            item = (HEAD, line, self._level)
        elif self._nav and len(line) <= _MENU:  # a sentence in a <nav>: its end was forgotten
            item = (NAV, line, 0)
        elif self._prefix:
            item = (ITEM, self._prefix + line, len(self._lists))
            self._prefix = ""
        else:
            item = (TEXT, line, 0)
        if self._grids:
            self._grids[-1].add(item)
        else:
            self.items.append(item)

    def _hide(self, name: str) -> None:
        """Mark what follows: the rest of the lines, or a part of the open line."""
        if name in self._flow and name not in ("a", "label", "button", "sup"):
            self._hidden = True
        elif self._into is self._buffer:
            self._buffer.append(" [hidden: ")
            self._marked = len(self._buffer)

    def _show(self) -> None:
        if self._marked >= 0:
            self._end_mark()
        elif self._hidden:
            if self._into is self._buffer:
                self._flush()
            self._hidden = False

    def _end_mark(self) -> None:
        """Close the mark around a hidden part of the open line; take it away when nothing is in it."""
        buffer, at = self._buffer, self._marked
        self._marked = -1
        if "".join(buffer[at:]).strip():
            buffer.append("] ")
        else:
            del buffer[at - 1 :]

    def _put(self, item: Item) -> None:
        if self._grids:
            self._grids[-1].add(item)
        else:
            self.items.append(item)

    def _shut(self) -> None:
        grid = self._grids.pop()
        if self._grids:
            self._grids[-1].extend(grid.close())
        else:
            self.items.extend(grid.close())

    def _end_link(self) -> None:
        line = "".join(self._buffer[self._link_at :])
        if line in ("\u00b6", "&para;"):  # the sign beside a heading that leads to itself
            del self._buffer[self._link_at - 1 :]
            self._link = -1
        elif line and not line.isspace():
            mark = f"{CLOSE}{self._link}{CLOSE}"
            self.linked += len(line.strip())
            self.shown -= len(mark) + 1
            self._buffer.append(mark)
            self._link = -1

    # What tags do where text flows. Each act has the place of its tag: start, end, end of the name, name.

    def _in_flow(self) -> dict[str, Callable[[int, int, int, str], None]]:
        acts: dict[str, Callable[[int, int, int, str], None]] = {}
        for name in _BLOCKS:
            acts[name] = acts["/" + name] = self._block
        for level in "123456":
            acts["h" + level] = self._heading
            acts["/h" + level] = self._end_heading
        for name in ("ul", "ol", "dir"):
            acts[name] = self._list
            acts["/" + name] = self._end_list
        for name in ("script", "style", "title", "textarea", "iframe", "noembed", "noframes"):
            acts[name] = self._start_raw
        for name in ("pre", "xmp", "listing", "plaintext"):
            acts[name] = self._pre
        for name in ("td", "th"):
            acts[name] = self._cell
            acts["/" + name] = self._end_cell
        for name in ("label", "button", "option"):
            acts[name] = acts["/" + name] = self._gap
        for name in ("del", "s", "strike"):
            acts[name] = self._strike
            acts["/" + name] = self._end_strike
        acts |= {
            "progress": self._gauge, "meter": self._gauge,
            "a": self._a, "/a": self._end_a, "li": self._li, "/li": self._end_li, "dd": self._dd, "/dd": self._end_li,
            "br": self._br, "/br": self._br, "img": self._img, "image": self._img, "input": self._input,
            "select": self._select_start, "table": self._table, "/table": self._end_table, "tr": self._row,
            "/tr": self._row, "svg": self._svg, "nav": self._nav_start, "/nav": self._nav_end, "meta": self._meta,
            "link": self._meta, "base": self._meta, "sup": self._sup, "%": self._code, "?": self._code,
        }  # fmt: skip
        return acts

    def _block(self, _start: int, _end: int, _after: int, _name: str) -> None:
        if self._buffer:
            self._flush()

    def _heading(self, _start: int, _end: int, _after: int, name: str) -> None:
        self._flush()
        self._level = int(name[1])

    def _end_heading(self, _start: int, _end: int, _after: int, _name: str) -> None:
        self._flush()
        self._level = 0

    def _list(self, _start: int, end: int, after: int, name: str) -> None:
        self._flush()
        numbers = None
        if name == "ol":
            said = self.text[after : end - 1]
            numbers = states.Numbers(said)
            if numbers.step < 0 and not numbers.known and self._counted < states.COUNTED:
                self._counted += 1
                numbers.count(self.text, end)
        self._lists.append(numbers)

    def _end_list(self, _start: int, _end: int, _after: int, _name: str) -> None:
        self._flush()
        self._prefix = ""
        if self._lists:
            self._lists.pop()

    def _li(self, _start: int, end: int, after: int, _name: str) -> None:
        if self._buffer:
            self._flush()
        self._level = 0  # a heading whose end was forgotten
        numbers = self._lists[-1] if self._lists else None
        if numbers is not None:
            self._prefix = numbers.take(self.text[after : end - 1])
        else:
            self._prefix = "- "

    def _dd(self, _start: int, _end: int, _after: int, _name: str) -> None:
        self._flush()
        self._prefix = ": "

    def _end_li(self, _start: int, _end: int, _after: int, _name: str) -> None:
        if self._buffer:
            self._flush()
        self._prefix = ""

    def _br(self, _start: int, _end: int, _after: int, _name: str) -> None:
        if self._level or (self._grids and self._grids[-1].inside):
            self._buffer.append(" ")
        else:
            self._flush()

    def _gap(self, _start: int, end: int, after: int, name: str) -> None:
        self._buffer.append(" ")
        if end - after > len("disabled") and name[0] != "/" and states.flags(self.text[after : end - 1]):
            self._buffer.append(f"[{states.flags(self.text[after : end - 1])}] ")

    def _strike(self, _start: int, _end: int, _after: int, _name: str) -> None:
        if not self._struck and self._into is self._buffer:
            self._struck = True
            self._buffer.append("~~")

    def _end_strike(self, _start: int, _end: int, _after: int, _name: str) -> None:
        buffer = self._buffer
        if self._struck:
            self._struck = False
            if buffer and buffer[-1] == "~~":
                buffer.pop()
            else:
                buffer.append("~~")

    def _gauge(self, _start: int, end: int, after: int, name: str) -> None:
        self._buffer.append(f" {states.gauge(name, self.text[after : end - 1])} ")

    def _a(self, _start: int, end: int, after: int, _name: str) -> None:
        buffer = self._buffer
        if self._link >= 0:
            self._end_link()
        if buffer and buffer[-1][-1:] == CLOSE:
            buffer.append(" ")  # links side by side are menus: their names are words apart
        buffer.append(OPEN)
        self._link = len(self.urls)
        self._link_at = len(buffer)
        self.urls.append(self.text[after : end - 1])

    def _end_a(self, _start: int, _end: int, _after: int, _name: str) -> None:
        if self._link >= 0:
            self._end_link()
            self._link = -1

    def _img(self, _start: int, end: int, after: int, _name: str) -> None:
        alt = picture(self.text[after : end - 1])
        if alt and alt not in self._alts:
            self._alts.add(alt)
            self._buffer.append(f" [image: {alt}] ")

    def _input(self, _start: int, end: int, after: int, _name: str) -> None:
        said = field(self.text[after : end - 1])
        if said:
            self._buffer.append(f" {said} ")

    def _sup(self, start: int, end: int, _after: int, _name: str) -> None:
        # 10<sup>6</sup> is not 106.
        if self.text[end : end + 1].isdigit() and self.text[start - 1 : start].isalnum():
            self._buffer.append("^")

    def _nav_start(self, _start: int, _end: int, _after: int, _name: str) -> None:
        self._flush()
        self._nav += 1

    def _nav_end(self, _start: int, _end: int, _after: int, _name: str) -> None:
        self._flush()
        self._nav = max(0, self._nav - 1)

    def _code(self, start: int, end: int, after: int, name: str) -> None:
        """Keep what a server would run: in its source it is the content."""
        code = self.text[start:end]
        if name == "?" and self.text[after : after + 3] in ("xml", "mso"):
            return
        if "\n" in code:
            self._flush()
            self._put((VERBATIM, code, 0))
        else:
            self._buffer.append(code)

    def _meta(self, _start: int, end: int, after: int, name: str) -> None:
        said = self.text[after : end - 1]
        if name == "meta":
            what = (attribute(said, "name") or attribute(said, "property") or attribute(said, "http-equiv")).lower()
            content = " ".join(attribute(said, "content").split())
            if what == "description" or (what == "og:description" and not self.described):
                self.described = content
            elif what == "refresh":
                self.refresh = content
            elif what == "og:title" and not self.title:
                self.title = content
            elif what == "og:url" and not self.url:
                self.url = content
        elif attribute(said, "rel").lower() == "canonical":
            self.url = attribute(said, "href")

    # Tables

    def _table(self, _start: int, _end: int, _after: int, _name: str) -> None:
        if self._buffer:
            self._flush()
        if len(self._grids) < DEEPEST:
            self._grids.append(Grid())
        else:
            self._deeper += 1

    def _end_table(self, _start: int, _end: int, _after: int, _name: str) -> None:
        if self._buffer:
            self._flush()
        self._prefix = ""
        if self._deeper:
            self._deeper -= 1
        elif self._grids:
            self._shut()

    def _row(self, _start: int, _end: int, _after: int, _name: str) -> None:
        if self._buffer:
            self._flush()
        self._prefix = ""
        if self._grids and not self._deeper:
            self._grids[-1].end_row()

    def _cell(self, _start: int, end: int, after: int, name: str) -> None:
        if self._buffer:
            self._flush()
        self._prefix = ""
        if self._grids and not self._deeper:
            self._grids[-1].end_cell()
            self._grids[-1].cell(self.text[after : end - 1], header=name == "th")

    def _end_cell(self, _start: int, _end: int, _after: int, _name: str) -> None:
        if self._buffer:
            self._flush()
        self._prefix = ""
        if self._grids and not self._deeper:
            self._grids[-1].end_cell()

    # Elements whose text is not markup: the next tag ends them

    def _start_raw(self, start: int, end: int, _after: int, name: str) -> None:
        self._raw = name
        self._raw_tag = (start, end)
        self._before, self._into = self._into, self._aside

    def _end_raw(self, at: int, end: int) -> None:
        name, self._raw = self._raw, ""
        text = self.text[at:end]
        self._into = self._before
        self._aside.clear()
        tag = self.text[slice(*self._raw_tag)]
        if name == "script":
            self.scripts.append((at, end, tag))
        elif name == "title":
            self.title = " ".join(decoded(text).split()) or self.title
        elif name == "textarea":
            self._flush()
            said = attribute(tag, "name") or attribute(tag, "id")
            words = [word for word in ("textarea", said, states.flags(tag[len("<textarea") : -1])) if word]
            self._put((FIELD, f"[{' '.join(words)}]", 0))
            if text.strip():
                self._put((VERBATIM, decoded(text), 0))
        elif name == "iframe":
            said = attribute(tag, "title")
            if said:
                self._buffer.append(f" [frame: {' '.join(said.split())}] ")

    # Verbatim text: markup in it colours it, lines and blanks are the author's

    def _in_verbatim(self) -> dict[str, Callable[[int, int, int, str], None]]:
        acts: dict[str, Callable[[int, int, int, str], None]] = {
            "br": self._newline, "a": self._listed, "/a": self._end_listed,
            "code": self._named, "%": self._code_in, "?": self._code_in,
        }  # fmt: skip
        for name in ("li", "div", "p", "tr"):
            acts["/" + name] = self._line_end
        for name in ("/pre", "/xmp", "/listing", "/body"):
            acts[name] = self._end_pre
        for name in ("script", "style"):
            acts[name] = self._start_raw
        return acts

    def _pre(self, _start: int, end: int, after: int, _name: str) -> None:
        self._flush()
        self._into = []
        self._acts = self._verbatim
        match = _LANGUAGE.search(self.text, after, min(end, after + 400))
        self._language = match.group(1) if match else ""

    def _end_pre(self, _start: int, _end: int, _after: int, _name: str) -> None:
        text = decoded("".join(self._into))
        self._into = self._buffer
        self._acts = self._flow
        if text.strip():
            self.shown += len(text)
            self._put((VERBATIM, f"{self._language}\n{text}", 1))

    def _listed(self, _start: int, end: int, after: int, _name: str) -> None:
        self._link_at = len(self._into)
        self._listing = attribute(self.text[after : end - 1], "href")

    def _end_listed(self, _start: int, _end: int, _after: int, _name: str) -> None:
        """Name what a directory index cut: "headroom-1.2.3-py3-no..>" leads to the whole name."""
        shown = "".join(self._into[self._link_at :])
        if self._listing and shown.endswith(("..&gt;", "..>", "...", "\u2026")):
            self._into[self._link_at :] = [self._listing]
        self._listing = ""

    def _newline(self, _start: int, _end: int, _after: int, _name: str) -> None:
        self._into.append("\n")

    def _line_end(self, _start: int, _end: int, _after: int, _name: str) -> None:
        if self._into and self._into[-1][-1:] != "\n":
            self._into.append("\n")

    def _named(self, _start: int, end: int, after: int, _name: str) -> None:
        if not self._language:
            match = _LANGUAGE.search(self.text, after, min(end, after + 400))
            self._language = match.group(1) if match else ""

    def _code_in(self, start: int, end: int, _after: int, _name: str) -> None:
        self._into.append(self.text[start:end])

    # Drawings: only their words are read

    def _in_drawing(self) -> dict[str, Callable[[int, int, int, str], None]]:
        acts: dict[str, Callable[[int, int, int, str], None]] = {
            "text": self._drawn, "foreignobject": self._drawn, "/text": self._end_drawn,
            "/foreignobject": self._end_drawn, "/svg": self._end_svg, "script": self._start_raw,
            "style": self._start_raw,
        }  # fmt: skip
        # A page that forgot the end of a drawing goes on where a line, a list or a table begins.
        for name in (*_BLOCKS, "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "table", "tr", "td", "pre", "nav"):
            acts.setdefault(name, self._left)
        return acts

    def _svg(self, _start: int, end: int, _after: int, _name: str) -> None:
        if self.text[end - 2] != "/":
            self._acts = self._drawing
            self._into = self._aside

    def _drawn(self, _start: int, _end: int, _after: int, _name: str) -> None:
        self._buffer.append(" ")
        self._into = self._buffer

    def _end_drawn(self, _start: int, _end: int, _after: int, _name: str) -> None:
        self._into = self._aside

    def _end_svg(self, _start: int, _end: int, _after: int, _name: str) -> None:
        self._aside.clear()
        self._buffer.append(" ")
        self._into = self._buffer
        self._acts = self._flow

    def _left(self, start: int, end: int, after: int, name: str) -> None:
        if self._into is self._buffer:
            self._flush()  # HTML inside a drawing
            return
        self._end_svg(start, end, after, name)
        act = self._acts.get(name)
        if act is not None:
            act(start, end, after, name)

    # Lists of choices

    def _in_choices(self) -> dict[str, Callable[[int, int, int, str], None]]:
        acts: dict[str, Callable[[int, int, int, str], None]] = {"option": self._option, "optgroup": self._option}
        for name in ("/select", "/form", "/body", "/td", "/div", "/p"):
            acts[name] = self._end_select
        for name in ("input", "select", "textarea", "table", "h1", "h2", "h3"):
            acts[name] = self._leave_select
        return acts

    def _select_start(self, _start: int, end: int, after: int, _name: str) -> None:
        said = self.text[after : end - 1]
        words = (attribute(said, "name") or attribute(said, "id"), states.flags(said))
        self._select = " ".join([word for word in words if word])
        self._acts = self._choices
        self._into = []

    def _option(self, _start: int, end: int, after: int, name: str) -> None:
        said = self.text[after:end]
        self._into.append(OPEN if name == "option" else f"{OPEN}{attribute(said, 'label')}: ")
        if "selected" in said:
            self._into.append("*")
        if "disabled" in said and states.flags(said):
            self._into.append("[disabled] ")

    def _end_select(self, start: int, end: int, after: int, name: str) -> None:
        choices = [" ".join(line.split()) for line in _choices(self._into)]
        self._into = self._buffer
        self._acts = self._flow
        choices = [choice for choice in choices if choice]
        if choices:
            self._buffer.append(f" {selection(self._select, choices)} ")
        act = self._acts.get(name)
        if act is not None:
            act(start, end, after, name)

    def _leave_select(self, start: int, end: int, after: int, name: str) -> None:
        self._end_select(start, end, after, name)


def _choices(pieces: list[str]) -> list[str]:
    """Return the texts of the choices: each begins at a piece of ours."""
    return [decoded(choice) for choice in "".join(pieces).split(OPEN)]
