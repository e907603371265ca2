"""How an overview is asked for: the patterns and words of :mod:`rag.answering.overview.request`.

English, German, Spanish, French, Chinese and Japanese. A pattern has to match a whole question
without politeness and without what it says of the length (:data:`LEAD`, :data:`TAIL`).
"""

from __future__ import annotations

import re

_SHORT = (
    r"(?:(?:very|short|brief|quick|concise|general|high-level|rough|broad|complete|bullet[- ]point"
    r"|one[- ]\w+|executive) )*"
)
_SUMMARY = r"(?:summary|overview|synopsis|recap|gist|digest|rundown|tl;? ?dr)"
_POINTS = (
    r"(?:main|key|central|essential|most important|important|major|core) "
    r"(?:points?|ideas?|takeaways?|messages?|topics?|themes?|findings|facts|statements|contents?)"
)
_PUNKTE = (
    r"(?:(?:wichtigsten|zentralen|wesentlichen) "
    r"(?:punkte|aussagen|erkenntnisse|themen|inhalte|ergebnisse)"
    r"|hauptpunkte|hauptaussagen|hauptthemen|kernaussagen|kernpunkte)"
)
_PUNTOS = (
    r"(?:(?:puntos|ideas|temas|mensajes|conclusiones) (?:m[aá]s importantes|principales|clave))"
)
_CLES = r"(?:(?:points|id[ée]es|th[èe]mes|messages) (?:principaux|principales|cl[ée]s?|essentiels))"

_NAMED = r"(?P<named>.+?)"
"""What only a document can be the name of."""
_OF = r"(?P<subject>.+?)"
"""A document or a topic."""

PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # English
        rf"what(?: is|'?s| are|'?re) {_NAMED} (?:all |mainly |mostly |really )?about",
        rf"what (?:does|do) {_NAMED} (?:say|cover|contain|discuss|deal with|talk about|describe)",
        rf"what(?: is|'?s) (?:there )?in {_NAMED}",
        rf"(?:what|which) (?:topics|subjects|themes) (?:does|do|are) {_NAMED} "
        r"(?:cover|contain|discuss|deal with|covered|about)",
        rf"(?:tell (?:me|us) about|describe|explain) {_NAMED}",
        rf"(?:(?:to )?summari[sz]e|sum up|recap|tl;? ?dr)(?: of|:)?(?: {_OF})?",
        rf"sum {_OF} up",
        rf"(?:(?:i )?(?:give|show|tell|get|write|provide|make|create|send|prepare|have|see|need"
        rf"|want|like)(?: me| us)?(?: with)? )?(?:(?:an?|the|your) )?{_SHORT}{_SUMMARY}"
        rf"(?: (?:of|on|about|for|over) {_OF})?",
        rf"what(?: is|'?s) (?:the|your) {_SHORT}{_SUMMARY}(?: (?:of|on|about|for|over) {_OF})?",
        rf"(?:what (?:are|is|were)|list|name|tell me|give me|show me)? ?(?:the |its )?{_POINTS}"
        rf"(?: (?:of|in|from|made in) {_NAMED}| here)?",
        r"what should i know about (?:this|these|it)(?: documents?| files?)?",
        # German
        rf"(?:worum|um was) (?:geht|handelt) (?:es|sich)(?: (?:hier|denn|eigentlich|da))?"
        rf"(?: (?:in|bei) {_NAMED})?",
        rf"(?:wovon|worüber) (?:handel[nt]|bericht|sprich|erzähl)\w*(?: {_NAMED})?",
        rf"fass(?:e|en sie|t)?(?: (?:mir|uns|bitte|doch))* {_OF} (?:kurz )?zusammen",
        rf"{_OF} (?:kurz )?zusammenfassen",
        r"zusammenfassen",
        r"(?:gib|geben sie|schreib|erstelle|mach|zeig|ich (?:brauche|möchte|will))?(?: mir| uns)? ?"
        r"(?:eine[nr]?|die|den)? ?(?:kurze[nr]? |knappe[nr]? )*"
        rf"(?:zusammenfassung|überblick|kurzfassung|übersicht)"
        rf"(?: (?:von|über|zu[mr]?) {_OF}| (?P<genitive>(?:des|der|aller|dieser|dieses) .+))?",
        rf"(?:was sind |nenne (?:mir )?|welche sind )?(?:die )?{_PUNKTE}"
        rf"(?: (?:in|von|aus|im) {_NAMED}| (?P<of_named>(?:des|der|aller|dieser|dieses) .+))?",
        rf"was steht (?:da|hier|alles|in {_NAMED})(?: drin)?",
        # Spanish
        rf"de qué (?:se )?(?:tratan?|va|van|hablan?)(?: {_NAMED})?",
        rf"(?:resume|resúme(?:me|nos)|resumir|resuma|sintetiza)(?: {_OF})?",
        rf"(?:(?:dame|haz(?:me)?|hazme|escribe|quiero|necesito|muéstrame) )?(?:un |el |una )?"
        rf"(?:breve |corto )?(?:resumen|síntesis|visión general)(?: (?:general|breve|corto))?"
        rf"(?: (?:de(?:l)?|sobre) {_OF})?",
        rf"(?:(?:cuáles|cuales) son |dame )?(?:los |las )?{_PUNTOS}(?: (?:del?|en) {_NAMED})?",
        # French
        r"de quoi (?:s'agit[- ]il|est-il question|ça parle|cela parle"
        r"|il s'agit|(?:ça |cela )?traite)",
        rf"de quoi (?:parle(?:nt)?|traite(?:nt)?) {_NAMED}",
        rf"(?:résume[zr]?|resume[zr]|synthétise[zr]?)(?:[- ](?:moi|nous))?(?: {_OF})?",
        rf"(?:(?:fais|faites|donne|donnez|écris|je (?:veux|voudrais))(?:[- ](?:moi|nous))? )?"
        rf"(?:un |le |une )?(?:bref |court |petit )?(?:résumé|aperçu|synthèse|vue d'ensemble)"
        rf"(?: (?:de |des |du |d'|sur ){_OF})?",
        rf"(?:quel(?:le)?s sont )?(?:les )?{_CLES}(?: (?:de |des |du |dans ){_NAMED})?",
        # Chinese
        r"(?P<zh_this>(?:这|這|那)(?:些|个|個|篇|份|本|里|裡)?(?:文档|文檔|文件|文章|资料|資料|报告|報告|书|書)?)"
        r"(?:主要|大概|都)?(?:是|在)?(?:讲|講|说|說|关于|關於|介绍|介紹|写|寫)(?:了|的是|些|的)?什[么麼](?:的)?(?:内容|內容)?",
        r"(?P<zh_named>.+?)(?:主要|大概)?(?:是|在)?(?:讲|講|关于|關於|介绍|介紹)(?:了|的是|的)?什[么麼](?:的)?(?:内容|內容)?",
        r"(?:请|請)?(?:帮我|幫我|给我|給我)?(?:简要|简单|簡單|简短)?(?:地)?"
        r"(?:总结|總結|概括|概述|归纳|歸納|摘要)(?:一下)?(?P<zh_subject>.*)",
        r"(?P<zh_points_of>.*?)的?(?:主要|核心|关键|關鍵|重要|中心)"
        r"(?:内容|內容|观点|觀點|要点|要點|信息|思想)(?:是|有)?(?:什[么麼]|哪些)?",
        # Japanese
        r"(?:これら?|この(?:文書|資料|ファイル|ドキュメント|文章|本)|それ)(?:は|って)(?:何|なに|なん)(?:に(?:つい|関し)て)?(?:の|です|ですか|書|の話|の文書|の資料|が書)?"
        r"[\w]{0,12}",
        r"(?P<ja_subject>.*?)(?:を|の)?(?:簡単に|簡潔に|短く)?(?:要約|まとめ)(?:を)?(?:して|て|し|教えて|作って|ください|下さい|くれ|ますか|お願い|します|もらえ)*",
        r"(?P<ja_named>.*?)の?(?:概要|要点|要旨|主な(?:内容|ポイント|点)|重要な(?:点|ポイント))"
        r"(?:は|を|って)?(?:何|なん|教えて|示して)?(?:です|ですか|ください|下さい|か)*",
    )
)
"""What a request for an overview looks like."""
FOR_DOCUMENTS = ("named", "of_named", "zh_named", "zh_points_of", "ja_named")
"""Groups that only a document can be the name in."""
FOR_BOTH = ("subject", "genitive", "zh_subject", "ja_subject")
"""Groups for a document or a topic."""

LEAD = re.compile(
    r"(?:(?:hi|hello|hey|ok(?:ay)?|so|well|now|in short|briefly"
    r"|please|pls|kindly|just|bitte|por favor"
    r"|s'il (?:te|vous) pla[iî]t"
    r"|(?:can|could|would|will) (?:you|i)|i(?:'d| would) like"
    r"|i (?:want|need) you to|kannst du|können sie|könntest du|puedes|podrías|peux-tu|pouvez-vous"
    r"|pourriez-vous|请问|請問)\b[\s,:!]*)+",
    re.IGNORECASE,
)
"""Politeness and greetings that a question opens with."""
TAIL = re.compile(
    r"[\s,]+(?:please|pls|for me|for us|thanks|thank you|briefly|quickly|shortly|bitte|por favor"
    r"|s'il (?:te|vous) pla[iî]t|in (?:short|brief|detail|general|total|a nutshell)|kurz"
    r"|(?:in|as|with|auf|en) (?:an? |few |about )*(?:few|one|two|three|four|five|six|ten|\d+|bullet"
    r"|short|simple|plain|ein(?:em)?|zwei|drei|una?|dos|tres|deux|trois)[\w -]{0,12}"
    r"(?:words?|sentences?|lines?|points?|terms|english|paragraphs?|sätzen?|wörtern|frases|phrases))$",
    re.IGNORECASE,
)
"""Politeness, and wishes for the length, that it ends with."""
ENDS = " \t\n?？!！.。…,:;¿¡\"“”'«»「」"
"""Punctuation around a question or a name."""
QUESTION_WORD = re.compile(
    r"(?:what|why|how|when|where|who|whom|whose|which|whether|was|warum|wie|wann|wo|wer|welche\w*|ob|qué"
    r"|por qué|cómo|cuándo|dónde|quién|pourquoi|comment|quand|où|qui|ce que|lo que)\b",
    re.IGNORECASE,
)
"""What a topic does not begin with: "why sales fell" is a question."""
SMALL_WORDS = frozenset(
    """
    a about all an and any are at complete contents content entire everything every following for
    here i in inside is it its me my of on our that the them there these they this those to we
    whole with you your
    alle aller allem alles das dem den der des die dies diese diesem diesen dieser dieses ein eine
    einem einen einer es hier im in inhalt meine meinen von zu ganze ganzen gesamte gesamten mir uns
    bitte kurz
    de del el en esta estas este esto estos la las lo los mi mis todo todos toda todas un una
    ce ces cet cette ceci cela d de des du en il ils l la le les mes nos tout tous toutes un une
    contenido contenu
    """.split()
)
"""Words that add nothing to what is named."""
BACKWARD = frozenset("it its that them they those es sie él ella eso il elle ça cela".split())
"""Words that in a conversation point at what was said."""

POINTING = re.compile(
    r"\b(?:this|these|dies\w*|est[aeo]s?|ce[st]?|cette)\b|^(?:这|這|那|この|これ)", re.IGNORECASE
)
"""Words that point at what is open."""
DOCUMENTS = frozenset(
    """
    collection doc docs document documents file files folder folders knowledge base library material
    materials page pages pdf pdfs sources text texts upload uploads attachment attachments
    datei dateien dokument dokumente dokumenten dokuments ordner ordners texte unterlagen
    text textes archivo archivos documento documentos carpeta textos texto
    fichier fichiers dossier documents
    """.split()
)
"""Words for all documents."""
KINDS_OF_DOCUMENT = frozenset(
    """
    agreement article articles book books contract essay letter manual memo minutes paper papers
    policy presentation report reports slides spec specification story study thesis
    artikel artikels aufsatz bericht berichts berichte buch buches vertrag vertrags handbuch
    artículo informe libro contrato carta rapport livre contrat article
    """.split()
)
"""Words for a document, where it is pointed at or the only one."""
DOCUMENTS_UNSPACED = re.compile(
    r"(?:(?:这|這|那|该|該|所有|全部|全|每)?(?:些|个|個|篇|份|本|里|裡|部)?的?"
    r"(?:文档|文檔|文件|文章|资料|資料|内容|內容|文本|文件夹)?(?:的)?(?:内容|內容)?"
    r"|(?:この|これらの|これ|すべての|全ての|全)?(?:文書|資料|ファイル|ドキュメント|文章|内容|フォルダ)?)(?:を|の)?"
)
"""Words for all documents in Chinese and Japanese."""
