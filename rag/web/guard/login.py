"""The page that asks for the password: plain HTML that loads nothing."""

from __future__ import annotations

import html

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Log in</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 22rem; margin: 18vh auto; padding: 0 1rem
}}
h1 {{ font-size: 1.3rem }}
input, button {{ font: inherit; width: 100%; padding: .6rem; margin: .3rem 0 }}
* {{ box-sizing: border-box }}
[role=alert] {{ color: #b42318 }}
@media (prefers-color-scheme: dark) {{ [role=alert] {{ color: #f97066 }} }}
</style>
<h1>Ask your documents</h1>
<form method="post" action="login">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password"
 required autofocus>
<button>Log in</button>
{message}
</form>
</html>
"""

WRONG = "That is not the password."
BLOCKED = "Too many wrong passwords. Wait ten minutes and try again."


def login_page(message: str = "") -> bytes:
    """The page as UTF-8; ``message`` says why the last try failed."""
    shown = f'<p role="alert">{html.escape(message)}</p>' if message else ""
    return _PAGE.format(message=shown).encode()
