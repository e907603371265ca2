"""Orders to dismiss one's instructions, in many languages: the commonest kind of prompt injection.

Each language has its imperatives and what they are about. Statements ("the parser ignores all other
rules"), their denial ("do not ignore ...") and permission ("you can ignore ... if") are none.
"""

from __future__ import annotations

_GAP = r"[^.!?。！？।\n]{0,40}?"

_NOT_ORDERED = (
    r"(?<!\bnot )(?<!n['’]t )(?<!\bnever )(?<!\bcan )(?<!\bmay )(?<!\bmight )(?<!\bcould )"
    r"(?<!\bwill )(?<!\bwould )(?:(?<!\bto )|(?<=\byou to )|(?<=\bare to ))"
)
_VERB = r"\b(?:ignore|disregard|forget|override|bypass|stop following|pay no attention to)\b"
_WORDS = r"(?:(?!(?:follow|read|see|obey|use|check|keep|but|except)\b)[\w’'-]+\s+){0,4}?"
_RULES = r"(?:instructions?|prompts?|guidelines?|directives?|rules|directions|commands)\b"
_BEFORE = r"(?:previous|prior|preceding|earlier|above|foregoing|former)"
_UNLESS = (
    r"(?![^.!?\n]{0,40}?\bif (?:you(?:['’]ve| have| use| are using| do not| don['’]t|r)|it|the)\b)"
    r"(?!\s+at your (?:own )?(?:peril|risk))"
)
_CLAUSE = (
    r"(?:(?-i:^\W*(?=[A-Z]))|[.!?:;]\W*|[\"“”'‘(\[>]\s*|\b(?:please|now|then|instead|just|must"
    r"|should|shall|are to|now on,|(?:assistant|ai|model|gpt),)\s+)"
)
_ENGLISH = (
    # "all previous instructions" and "your rules" are a model's own wherever they are dismissed
    rf"{_NOT_ORDERED}{_VERB}\s+{_WORDS}(?:(?:all|any|every)\s+(?:\w+\s+){{0,2}}?{_BEFORE}\s+"
    rf"(?:\w+\s+){{0,3}}?{_RULES}|your\s+(?:\w+\s+){{0,3}}?(?:{_RULES}|programming|training|context"
    rf"|system \w+)|(?:previous|prior)\s+(?:\w+\s+){{0,2}}?(?:instructions|prompts?)\b|the system "
    rf"prompt\b){_UNLESS}",
    # others only where the sentence is an order
    rf"{_CLAUSE}{_VERB}\s+{_WORDS}(?:(?:{_BEFORE}|system|all|any|other|these|those)\s+"
    rf"(?:\w+\s+){{0,3}}?{_RULES}|all (?:of )?(?:the )?{_BEFORE}\s+(?:\w+\s+){{0,2}}?(?:messages"
    rf"|context|text)\b|everything (?:above|before this|you (?:were|have been) told)){_UNLESS}",
    rf"\b(?:{_BEFORE}|your|all)\s+(?:\w+\s+){{0,3}}?{_RULES}\s+(?:must|should|shall|are to)\s+"
    r"(?:now\s+)?be\s+(?:ignored|disregarded|forgotten|overridden)\b",
)

_IMPERATIVES: dict[str, tuple[str, str]] = {
    "de": (
        r"\b(?:ignoriere|ignorieren sie|missachte|missachten sie|vergiss|vergessen sie)\b"
        r"(?![^.!?\n]{0,60}\b(?:nicht|nie)\b)",
        r"\b(?:vorherige|bisherige|vorige|frühere|obige|deine|ihre|alle)\w*\s+(?:\w+\s+){0,2}?"
        r"(?:anweisung|instruktion|regeln|befehl|vorgaben)",
    ),
    "fr": (
        r"(?<!n['’])\b(?:oublie[zs]?|ignore[zs]?|ne ten(?:ez|iens) pas compte)\b",
        r"\b(?:instructions?|consignes?|r[eè]gles?|directives?)\s+(?:pr[eé]c[eé]dentes?"
        r"|ant[eé]rieures?|ci-dessus)|\b(?:tes|vos|toutes les)\s+(?:\w+\s+)?(?:instructions"
        r"|consignes|r[eè]gles)",
    ),
    "es": (
        r"(?<!\bno )\b(?:ignor(?:a|e|ad|en)|olvid(?:a|e|ad|en|ate|ese)|omit(?:e|a|an))\b",
        r"\b(?:instrucciones|reglas|indicaciones|órdenes)\s+(?:anteriores|previas)"
        r"|\btus\s+instrucciones",
    ),
    "it": (
        r"(?<!\bnon )\b(?:ignora|dimentica|trascura)(?:te)?\b",
        r"\b(?:istruzioni|regole|indicazioni)\s+(?:precedenti|ricevute)|\btutte le istruzioni",
    ),
    "pt": (
        r"(?<!\bnão )(?<!\bnão se )\b(?:ignore|esque[cç]a|desconsidere)\b",
        r"\b(?:instruções|regras|orientações)\s+(?:anteriores|acima)",
    ),
    "nl": (
        r"\b(?:negeer|vergeet)\b(?![^.!?\n]{0,60}\b(?:niet|nooit)\b)",
        r"\b(?:eerdere|vorige|alle)\s+(?:\w+\s+)?instructies",
    ),
    "sv": (
        r"\b(?:glöm|ignorera)\b(?!\s+(?:inte|aldrig))",
        r"\b(?:tidigare|alla)\s+(?:\w+\s+)?instruktioner",
    ),
    "pl": (
        r"(?<!\bnie )\b(?:z?ignoruj|zapomnij)(?:cie)?\b",
        r"\b(?:poprzednie|wszystkie|wcześniejsze)\s+(?:instrukcje|polecenia|zasady)",
    ),
    "tr": (
        r"\b(?:yok say(?:ın)?|görmezden gel(?:in)?|unut(?:un)?)\b",
        r"\b(?:önceki|tüm)\s+(?:\w+\s+)?talimat",
    ),
    "ru": (
        r"(?<!\bне )\b(?:(?:про)?игнорируй|забудь|не обращай)(?:те)?\b",
        r"\b(?:предыдущ\w+|все|прежн\w+)\s+(?:\w+\s+)?(?:инструкци|указани|правил|команд)",
    ),
    "zh": (
        r"(?<!不要)(?<!请勿)(?<!切勿)(?<!勿)(?<!别)(?<!如果)(?<!若)(?:忽略|无视|無視|忽視|忘记|忘記"
        r"|不要理会)(?![^。！？\n]{0,40}(?:可能|会导致|會導致))",
        r"(?:之前|以前|以上|上述|先前|前面|所有|你的|您的)[^。！？\n]{0,12}?(?:指令|指示|命令"
        r"|提示词|规则)",
    ),
    "ja": (
        r"(?:無視して(?:ください|下さい|[、。])|無視し(?:ろ|なさい)|無視せよ|忘れて(?:ください|下さい)"
        r"|忘れろ)",
        r"(?:これまで|以前|上記|前|すべて|全て|あなた)[^。！？\n]{0,12}?(?:指示|命令|指令|プロンプト)",
    ),
    "ko": (
        r"(?:무시하(?:세요|십시오|라|고)|무시해(?![서야])|잊어(?!서)|잊으(?:세요|십시오))",
        r"(?:이전|위|모든|당신의|앞)[^.!?\n]{0,12}?(?:지시|명령|지침|규칙|프롬프트)",
    ),
    "ar": (
        r"(?<![\u0621-\u064a])(?:تجاهلوا|تجاهل|انس[َى]?)(?![\u0621-\u064a])"
        r"(?![^.!?\n]{0,60}(?:قد|يؤدي|يمكن))",
        r"(?:جميع|كل)\s+(?:التعليمات|الأوامر)|(?:التعليمات|الأوامر)\s+(?:السابقة|أعلاه)|تعليماتك",
    ),
    "hi": (
        r"(?:अनदेखा|नज़रअंदाज़)\s+(?:करें|करो|कर\s+द)|भूल\s+जा",
        r"(?:पिछले|उपरोक्त|सभी|अपने)[^।.!?\n]{0,12}?(?:निर्देश|आदेश)",
    ),
}
"""Language -> its imperatives, and the instructions that they dismiss; either may come first."""

DISMISSALS: tuple[str, ...] = (
    *_ENGLISH,
    *(
        pattern
        for verb, rules in _IMPERATIVES.values()
        for pattern in (f"(?:{verb}){_GAP}(?:{rules})", f"(?:{rules}){_GAP}(?:{verb})")
    ),
)
"""Regular expressions, to be searched with IGNORECASE and MULTILINE."""
