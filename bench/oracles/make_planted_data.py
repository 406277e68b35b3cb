"""Personal data and keys as others make them, in sentences, for bench/inspect-data.mjs to plant in rows of real text.

    python bench/oracles/make_planted_data.py OUT.json [COUNT] [SEED]

Needs Faker and phonenumbers (`pip install faker phonenumbers`). Faker chooses the forms, country by country, so that they are not made after
nomoat's own rules; phone numbers that no network of the country can have are drawn again. Keys follow the forms that their issuers publish.
Nothing in it is anybody's: all is random.
"""
import base64
import json
import random
import string
import sys

import phonenumbers
from faker import Faker

out = sys.argv[1]
count = int(sys.argv[2]) if len(sys.argv) > 2 else 500
seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
draw = random.Random(seed)
locales = ["en_US", "en_GB", "de_DE", "fr_FR", "it_IT", "es_ES", "nl_NL", "pl_PL", "pt_BR", "sv_SE", "zh_CN", "en_IN", "ja_JP", "de_AT", "de_CH", "en_AU", "en_CA", "fi_FI"]
fakers = {}
for place, name in enumerate(locales):
    fakers[name] = Faker(name)
    fakers[name].seed_instance(seed * 1000 + place)
letters, digits = string.ascii_letters, string.digits
word = lambda alphabet, length: "".join(draw.choice(alphabet) for _ in range(length))


def email():
    fake = fakers[draw.choice(["en_US", "en_GB", "de_DE", "fr_FR", "it_IT", "es_ES", "pt_BR"])]
    return draw.choice([fake.email, fake.company_email, fake.free_email])()


def phone():
    """As Faker writes the numbers of a country, or as its own rules for writing them are."""
    name = draw.choice(locales)
    region = name[-2:]
    while True:
        text = fakers[name].phone_number()
        try:
            number = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            break
    forms = phonenumbers.PhoneNumberFormat
    return draw.choice([text, text, phonenumbers.format_number(number, forms.NATIONAL),
                        phonenumbers.format_number(number, forms.INTERNATIONAL), phonenumbers.format_number(number, forms.E164)])


def iban():
    text = fakers[draw.choice(["en_GB", "de_DE", "fr_FR", "it_IT", "es_ES", "nl_NL", "pl_PL", "de_AT", "de_CH", "fi_FI"])].iban()
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4)) if draw.random() < 0.5 else text


def card():
    text = fakers["en_US"].credit_card_number(draw.choice(["visa16", "mastercard", "amex", "discover"]))
    groups = (4, 6, 5) if len(text) == 15 else (4, 4, 4, 4)
    between = draw.choice(["", " ", "-"])
    parts, at = [], 0
    for length in groups:
        parts.append(text[at : at + length])
        at += length
    return between.join(parts)


def ip():
    fake = fakers["en_US"]
    return draw.choice([fake.ipv4_public, fake.ipv4_public, fake.ipv6])()


national = [
    ("US social security number", lambda: fakers["en_US"].ssn(), "My social security number is {}."),
    ("GB national insurance number", lambda: fakers["en_GB"].ssn(), "Her NI number is {}."),
    ("FR NIR", lambda: fakers["fr_FR"].ssn(), "Mon numéro de sécurité sociale : {}"),
    ("IT codice fiscale", lambda: fakers["it_IT"].ssn(), "codice fiscale {}"),
    ("ES NIF", lambda: fakers["es_ES"].nif(), "Mi DNI es {}."),
    ("ES NIE", lambda: fakers["es_ES"].nie(), "NIE {}"),
    ("NL BSN", lambda: fakers["nl_NL"].ssn(), "My BSN is {}, in case you need it."),
    ("PL PESEL", lambda: fakers["pl_PL"].ssn(), "PESEL: {}"),
    ("BR CPF", lambda: fakers["pt_BR"].cpf(), "Meu CPF é {}."),
    ("SE personnummer", lambda: fakers["sv_SE"].ssn(), "Mitt personnummer är {}."),
    ("CN resident identity number", lambda: fakers["zh_CN"].ssn(), "我的身份证号码是{}。"),
    ("IN Aadhaar", lambda: fakers["en_IN"].aadhaar_id(), "Aadhaar number {}"),
    ("FI henkilötunnus", lambda: fakers["fi_FI"].ssn(), "henkilötunnus {}"),
    ("CA social insurance number", lambda: fakers["en_CA"].ssn(), "My SIN is {}."),
    ("CH AHV", lambda: fakers["de_CH"].ssn(), "AHV-Nummer {}"),
]


def private_key():
    body = base64.b64encode(bytes(draw.randrange(256) for _ in range(600))).decode()
    lines = "\n".join(body[i : i + 64] for i in range(0, len(body), 64))
    kind = draw.choice(["RSA ", "EC ", "OPENSSH ", ""])
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{lines}\n-----END {kind}PRIVATE KEY-----"


def jwt():
    encode = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
    return f'{encode({"alg": "HS256", "typ": "JWT"})}.{encode({"sub": word(digits, 10), "iat": 1516239022})}.{word(letters + digits + "-_", 43)}'


base62 = letters + digits
keys = [
    ("AWS access key id", lambda: "AKIA" + word(string.ascii_uppercase + "234567", 16)),
    ("AWS secret access key", lambda: f'aws_secret_access_key = {word(base62 + "+/", 40)}'),
    ("GitHub token", lambda: draw.choice(["ghp_", "gho_", "ghs_"]) + word(base62, 36)),
    ("GitHub fine-grained token", lambda: f"github_pat_{word(base62, 22)}_{word(base62, 59)}"),
    ("GitLab token", lambda: "glpat-" + word(base62 + "-_", 20)),
    ("Slack token", lambda: f"xoxb-{word(digits, 12)}-{word(digits, 13)}-{word(base62, 24)}"),
    ("Slack webhook", lambda: f"https://hooks.slack.com/services/T{word(string.ascii_uppercase + digits, 8)}/B{word(string.ascii_uppercase + digits, 10)}/{word(base62, 24)}"),
    ("OpenAI key", lambda: f"sk-{word(base62, 20)}T3BlbkFJ{word(base62, 20)}"),
    ("OpenAI project key", lambda: f'sk-proj-{word(base62 + "-_", 74)}T3BlbkFJ{word(base62 + "-_", 74)}'),
    ("Anthropic key", lambda: f'sk-ant-api03-{word(base62 + "-_", 93)}AA'),
    ("Google API key", lambda: "AIza" + word(base62 + "-_", 35)),
    ("Stripe key", lambda: draw.choice(["sk_live_", "rk_live_", "sk_test_"]) + word(base62, 24)),
    ("npm token", lambda: "npm_" + word(base62, 36)),
    ("Hugging Face token", lambda: "hf_" + word(letters, 34)),
    ("SendGrid key", lambda: f'SG.{word(base62 + "-_", 22)}.{word(base62 + "-_", 43)}'),
    ("Twilio key", lambda: "SK" + word("0123456789abcdef", 32)),
    ("Telegram bot token", lambda: f'{word(digits[1:], 10)}:AA{word(base62 + "-_", 33)}'),
    ("private key", private_key),
    ("JSON web token", jwt),
    ("database address", lambda: f"{draw.choice(['postgres', 'mysql', 'mongodb+srv', 'redis'])}://{fakers['en_US'].user_name()}:{word(base62, 14)}@db.{fakers['en_US'].domain_name()}/app"),
    ("password", lambda: f'password: {word(base62 + "!$%&*", 12)}'),
]


def address():
    name = draw.choice(["en_US", "en_GB", "de_DE", "fr_FR", "nl_NL", "en_AU", "de_AT"])
    return fakers[name].address().replace("\n", draw.choice([", ", "\n"]))


plain = {
    "email": (email, ["You can write to {}.", "my address is {} if you have questions", "{} is where the tickets go.", "Please forward it to {}, thanks!"]),
    "phone": (phone, ["Call me at {}.", "my number is {}", "You can reach her under {} after six.", "Tel: {}", "Text {} when you get there."]),
    "iban": (iban, ["Please transfer it to {}.", "IBAN: {}", "my account is {}"]),
    "card": (card, ["I paid with {}.", "card number {}", "Charge {} please."]),
    "ip": (ip, ["The request came from {}.", "log in to {} first", "{} is down again."]),
    "address": (address, ["We live at {}.", "Ship it to {}.", "address: {}"]),
}
shares = [("email", 75), ("phone", 90), ("iban", 50), ("card", 50), ("ip", 45), ("address", 25), ("national", 75), ("key", 90)]
items = []
for kind, share in shares:
    for i in range(share * count // 500):
        if kind == "national":
            name, make, sentence = national[i % len(national)]
        elif kind == "key":
            name, make = keys[i % len(keys)]
            sentence = draw.choice(["Use {} for now.", "the key is {}", "I set it to `{}` in the config.", "{}"])
        else:
            make, sentences = plain[kind]
            name, sentence = kind, draw.choice(sentences)
        value = make()
        items.append({"kind": kind, "name": name, "value": value, "text": sentence.format(value)})
draw.shuffle(items)
with open(out, "w") as file:
    json.dump(items, file, ensure_ascii=False, indent=0)
print(f"{len(items)} items of {len(shares)} kinds")
