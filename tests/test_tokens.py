"""tokens.py: close to exact counts, exact when a rank file is there, fast, and never absurd."""

# ruff: noqa: E501, RUF001 - sentences as other languages write them

import base64
import json
import random
import subprocess
import sys
import time

import pytest

from headroom_cli import tokens
from headroom_cli.errors import ConfigError


@pytest.fixture(autouse=True)
def _estimating():
    yield
    tokens.use_exact("")


CODE = '''def read_ranks(path: str) -> dict[bytes, int]:
    """Return token -> rank of a local rank file."""
    ranks = {}
    with open(path, "rb") as lines:
        for line in lines:
            token, rank = line.split()
            ranks[base64.b64decode(token)] = int(rank)
    return ranks
'''
LOG = "".join(
    f"2026-03-0{1 + i % 9} 12:{i % 60:02d}:0{i % 10},123 INFO  [worker-{i % 4}] com.example.Job - "
    f"finished step {i} in {i * 7} ms\n"
    for i in range(40)
)
PROSE = (
    "The quick brown fox jumps over the lazy dog, and nobody in the village was surprised. It had happened before, "
    "on a Tuesday, when the weather was just as grey as today. "
)
ITEMS = [
    {"id": i, "name": f"service-{i}", "status": "running", "cpu": i * 0.25, "labels": {"tier": "web", "zone": "eu-1"}}
    for i in range(30)
]
# text -> o200k_base tokens, recorded with rs-bpe 0.1.0
RECORDED = [
    ("code", CODE * 3, 222, 0.10),
    ("log", LOG, 1360, 0.10),
    ("prose", PROSE * 4, 149, 0.15),
    ("pretty JSON", json.dumps(ITEMS, indent=2), 1772, 0.10),
    ("minified JSON", json.dumps(ITEMS, separators=(",", ":")), 992, 0.10),
    ("base64", base64.b64encode(random.Random(1).randbytes(1500)).decode(), 1359, 0.15),
    ("hex", random.Random(2).randbytes(1000).hex(), 1136, 0.15),
    ("digits", "31415926535897932384626433832795" * 30, 320, 0.10),
    ("spaces", " " * 5000, 40, 0.60),
    ("newlines", "\n" * 3000, 188, 0.60),
    ("one letter", "a" * 5000, 625, 0.60),
    ("rules", ("=" * 78 + "\n") * 40, 80, 1.00),
    ("minified script", "function(t,e){return t.a=e,b(c)};" * 60, 720, 0.15),
    ("Chinese", "我是一只猫。还没有名字。今天天气很好\uff0c我们去公园散步吧。" * 8, 161, 0.45),
    ("Japanese", "吾輩は猫である。名前はまだ無い。どこで生れたか頓と見当がつかぬ。" * 8, 256, 0.45),
    ("Korean", "안녕하세요. 오늘 날씨가 좋네요. 공원에 산책하러 갑시다. " * 8, 169, 0.45),
    ("Russian", "Привет, как дела? Сегодня хорошая погода, пойдём гулять в парк. " * 8, 161, 0.45),
    ("emoji", "😀🎉🚀✨" * 40, 240, 0.45),
]


@pytest.mark.parametrize(("name", "text", "exact", "allowed"), RECORDED, ids=[row[0] for row in RECORDED])
def test_close_to_the_exact_count(name, text, exact, allowed):
    assert abs(tokens.count(text) / exact - 1) <= allowed


@pytest.mark.parametrize(("name", "text", "exact", "allowed"), RECORDED, ids=[row[0] for row in RECORDED])
def test_the_recorded_counts_are_true(name, text, exact, allowed):
    openai = pytest.importorskip("rs_bpe.bpe").openai
    assert openai.o200k_base().count(text) == exact


# script -> a text and the o200k_base tokens of four times it, recorded with rs-bpe 0.1.0
SCRIPTS = [
    (
        "Arabic",
        "تأسست الشركة في عام 1998 وتعمل في مجال البرمجيات. ولديها مكاتب في عدة دول حول العالم. يرجى حفظ الملف قبل إغلاق النافذة، ثم إعادة تشغيل الخادم. ",
        178,
    ),
    (
        "Persian",
        "این شرکت در سال ۱۳۷۷ تأسیس شد و در زمینه نرم افزار کار می کند. لطفا پیش از بستن پنجره، فایل را ذخیره کنید. ",
        149,
    ),
    (
        "Urdu",
        "یہ کمپنی 1998 میں قائم ہوئی اور سافٹ ویئر بناتی ہے۔ براہ کرم ونڈو بند کرنے سے پہلے فائل محفوظ کریں۔ ",
        137,
    ),
    (
        "Hebrew",
        "החברה הוקמה בשנת 1998 ועוסקת בפיתוח תוכנה. נא לשמור את הקובץ לפני סגירת החלון, ולאחר מכן להפעיל מחדש את השרת. ",
        167,
    ),
    ("Hindi", "कंपनी की स्थापना 1998 में हुई थी और यह सॉफ्टवेयर विकसित करती है। कृपया विंडो बंद करने से पहले फ़ाइल सहेजें। ", 151),
    ("Bengali", "কোম্পানিটি ১৯৯৮ সালে প্রতিষ্ঠিত হয় এবং সফটওয়্যার তৈরি করে। জানালা বন্ধ করার আগে ফাইলটি সংরক্ষণ করুন। ", 135),
    ("Tamil", "நிறுவனம் 1998 இல் நிறுவப்பட்டது மற்றும் மென்பொருளை உருவாக்குகிறது. சாளரத்தை மூடும் முன் கோப்பைச் சேமிக்கவும். ", 147),
    ("Telugu", "కంపెనీ 1998లో స్థాపించబడింది మరియు సాఫ్ట్‌వేర్‌ను అభివృద్ధి చేస్తుంది. విండోను మూసే ముందు ఫైల్‌ను భద్రపరచండి. ", 183),
    ("Thai", "บริษัทก่อตั้งขึ้นในปี 1998 และพัฒนาซอฟต์แวร์ กรุณาบันทึกไฟล์ก่อนปิดหน้าต่าง แล้วเริ่มเซิร์ฟเวอร์ใหม่ ", 173),
    (
        "Greek",
        "Η εταιρεία ιδρύθηκε το 1998 και αναπτύσσει λογισμικό. Αποθηκεύστε το αρχείο πριν κλείσετε το παράθυρο. ",
        157,
    ),
    (
        "Ukrainian",
        "Компанія була заснована в 1998 році та займається розробкою програмного забезпечення. Збережіть файл, перш ніж закрити вікно. ",
        149,
    ),
    (
        "Russian",
        "Компания была основана в 1998 году и занимается разработкой программного обеспечения. Сохраните файл, прежде чем закрыть окно. ",
        113,
    ),
    (
        "Georgian",
        "კომპანია დაარსდა 1998 წელს და ავითარებს პროგრამულ უზრუნველყოფას. ფანჯრის დახურვამდე შეინახეთ ფაილი. ",
        135,
    ),
    (
        "Armenian",
        "Ընկերությունը հիմնադրվել է 1998 թվականին և մշակում է ծրագրեր։ Պահպանեք ֆայլը պատուհանը փակելուց առաջ։ ",
        137,
    ),
    (
        "Chinese",
        "该公司成立于1998年,从事软件开发。它在世界各地设有办事处。关闭窗口前请保存文件,然后重新启动服务器。",
        144,
    ),
    ("traditional Chinese", "該公司成立於1998年,從事軟體開發。關閉視窗前請儲存檔案,然後重新啟動伺服器。", 164),
    (
        "Japanese",
        "この会社は1998年に設立され、ソフトウェアを開発しています。ウィンドウを閉じる前にファイルを保存してください。",
        141,
    ),
    ("Korean", "이 회사는 1998년에 설립되었으며 소프트웨어를 개발합니다. 창을 닫기 전에 파일을 저장하십시오. ", 121),
    (
        "half English",
        "The server is down and nobody knows why. تأسست الشركة في عام 1998 وتعمل في مجال البرمجيات. ولديها مكاتب في عدة دول حول العالم. يرجى حفظ الملف قبل إغلاق النافذة، ثم إعادة تشغيل الخادم. Please try again in a few minutes, or call us. ",
        261,
    ),
    ("commented code", "def save(path):\n    # 关闭窗口前请保存文件\n    return write(path, retries=3)\n", 92),
]


@pytest.mark.parametrize(("name", "text", "exact"), SCRIPTS, ids=[row[0] for row in SCRIPTS])
def test_other_scripts_are_close_to_the_exact_count(name, text, exact):
    assert abs(tokens.count(text * 4) / exact - 1) <= 0.25


def test_half_of_the_scripts_are_within_a_tenth():
    errors = sorted(abs(tokens.count(text * 4) / exact - 1) for _, text, exact in SCRIPTS)
    assert errors[len(errors) // 2] <= 0.10


@pytest.mark.parametrize(("name", "text", "exact"), SCRIPTS, ids=[row[0] for row in SCRIPTS])
def test_the_recorded_counts_of_scripts_are_true(name, text, exact):
    openai = pytest.importorskip("rs_bpe.bpe").openai
    assert openai.o200k_base().count(text * 4) == exact


# Estimates of texts in Latin letters as they were before other scripts had rates of their own.
@pytest.mark.parametrize(
    ("text", "estimate"),
    [
        ("The quick brown fox — “jumps” over… the lazy dog. " * 5, 68),
        ("Größe geändert: naïve café, señor. " * 5, 56),
        ("Tiếng Việt có nhiều dấu thanh. " * 5, 45),
        ("┌──┬──┐│ a│ b│└──┴──┘ ✔ ✗ → " * 5, 82),
        ("done ✅ 🚀 😀🎉 " * 5, 39),
        ("a\\u4f60\\u597d " * 5, 45),
    ],
)
def test_latin_letters_symbols_and_emoji_keep_their_estimate(text, estimate):
    assert tokens.other_scripts(text) == (text, [])
    assert tokens.count(text) == estimate


def test_letters_of_other_scripts_are_taken_out_in_order():
    assert tokens.other_scripts("a Привет, b 你好\uff01c") == ("a , b c", ["Привет", "你好\uff01"])
    assert tokens.other_scripts("") == ("", [])
    every = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x30000)]))
    rest, runs = tokens.other_scripts(every)
    assert sorted(rest + "".join(runs)) == sorted(every)
    # The quick look at the bytes misses none that the pattern would find.
    assert all(tokens.other_scripts(run[0])[1] and tokens.other_scripts(run[-1])[1] for run in runs)


def test_every_code_point_has_a_script_with_rates():
    letter_weights = pytest.importorskip("headroom_cli.models.letter_weights")
    letters, scripts, starts = letter_weights.load()
    assert {tokens.script(code) for code in range(0x370, 0x110000)} <= set(range(len(scripts)))
    assert len(scripts) == len(starts)
    assert min(scripts) > 0
    assert len(letters) > 2000


def test_an_ascii_text_does_not_load_the_rates():
    code = "import sys; from headroom_cli import tokens; tokens.count('plain text é'); "
    code += "sys.exit('headroom_cli.models.letter_weights' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_nothing_costs_nothing():
    assert tokens.count("") == 0
    assert tokens.count("a") == 1
    assert tokens.count("a", "no-such-model") == tokens.count("a", "claude-something")


@pytest.mark.parametrize(
    "text", ["\x00" * 50, "\ud800 x", "\r\n" * 9, "\t" * 40, "\x7f\x80\xff", "é" * 100, "\U0001d4b3" * 30]
)
def test_any_text_has_a_count_within_its_bytes(text):
    size = len(text.encode("utf-8", "surrogatepass"))
    assert size / 128 <= tokens.count(text) <= size


def test_more_text_costs_more():
    counts = [tokens.count(LOG[:n]) for n in range(0, len(LOG), 97)]
    assert counts == sorted(counts)


def test_writings_of_one_content_keep_their_order():
    pretty, minified = json.dumps(ITEMS, indent=2), json.dumps(ITEMS, separators=(",", ":"))
    keys = list(ITEMS[0])
    table = "\n".join(["\t".join(keys), *("\t".join(str(item[key]) for key in keys) for item in ITEMS)])
    oracle = pytest.importorskip("rs_bpe.bpe").openai.o200k_base().count
    exact = {text: oracle(text) for text in (pretty, minified, table)}
    for before, after in ((pretty, minified), (minified, table), (pretty, table)):
        told = tokens.count(after) / tokens.count(before)
        assert -tokens.MARGIN <= told / (exact[after] / exact[before]) - 1 <= 0.10


def test_windows_of_a_large_text():
    text = "".join(f"{i} {PROSE if i % 3 else LOG[:300]}\n" for i in range(4000))
    assert len(text) > tokens.WHOLE
    whole = tokens.estimate(text, tokens.token_weights.load())
    assert tokens.count(text) == pytest.approx(whole, rel=0.05)
    assert len(tokens.windows(text)) <= 64 * 1024 + 64


def test_a_large_text_costs_no_more_time_than_its_windows():
    def once(size):
        text = LOG * (size // len(LOG))
        start = time.process_time()
        tokens.count(text)
        return time.process_time() - start

    once(1 << 20)
    assert min(once(16 << 20) for _ in range(3)) < 5 * min(once(1 << 20) for _ in range(3)) + 0.005


def test_pieces_between_long_space_runs_are_the_text():
    text = "a" + " " * 120_000 + "b" + "\n" * 49_999 + "c" * 60_000
    pieces = tokens.split_spaces(text)
    assert "".join(pieces) == text
    assert max(len(piece) - len(piece.strip()) for piece in pieces) <= 50_000 + 49_999
    assert all(" " * 50_001 not in piece for piece in pieces)


def test_a_rank_file_that_is_none(tmp_path):
    pytest.importorskip("tiktoken")
    bad = tmp_path / "ranks"
    with pytest.raises(ConfigError, match="cannot read"):
        tokens.use_exact(str(bad))
    bad.write_text("not a rank file\n")
    with pytest.raises(ConfigError, match="not a tiktoken rank file"):
        tokens.use_exact(str(bad))
    bad.write_text("YQ== 1\n")
    with pytest.raises(ConfigError, match="holds 1 tokens"):
        tokens.use_exact(str(bad))


def test_exact_without_tiktoken_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tiktoken", None)
    with pytest.raises(ConfigError, match=r"install headroom-cli\[exact\]"):
        tokens.use_exact("ranks")
    assert not tokens.is_exact()


def test_exact_with_a_rank_file(tmp_path):
    pytest.importorskip("tiktoken")
    merges = [bytes([byte]) for byte in range(256)] + [b"ab", b"abab", b"  "]
    path = tmp_path / "ranks"
    path.write_bytes(b"".join(base64.b64encode(token) + b" %d\n" % rank for rank, token in enumerate(merges)))
    tokens.use_exact(str(path))
    assert tokens.is_exact()
    assert tokens.count("abab") == 1
    assert tokens.count("abc") == 2
    assert tokens.count(" " * 1_000_000) > 0
    tokens.use_exact("")
    assert not tokens.is_exact()
