"""Which sources clients may name: the patterns, and how they are got around."""

import ipaddress

import pytest

from server.config import BadSettings, parse_settings
from server.sources.addresses import is_public, resolve
from server.sources.allowed import AllowList
from server.sources.errors import SourceError, SourceRefused
from server.sources.named import File, NumberedCamera, Published, parse_source
from server.sources.url import SourceUrl


def allows(pattern, url):
    try:
        AllowList([pattern]).check_url(SourceUrl.parse(url))
    except SourceRefused:
        return False
    return True


def test_nothing_is_allowed_by_default(tmp_path):
    allowed = AllowList([], tmp_path)
    (tmp_path / "a.mp4").touch()
    for check, what in (
        (allowed.check_camera, 0),
        (allowed.check_name, "a"),
        (allowed.check_file, "a.mp4"),
        (allowed.check_file, str(tmp_path / "a.mp4")),
        (allowed.check_url, SourceUrl.parse("http://example.com/a.mp4")),
    ):
        with pytest.raises(SourceRefused, match="--allow-source"):
            check(what)


def test_cameras_are_listed_by_number():
    allowed = AllowList(["1", "*", "http://*/*"])
    allowed.check_camera(1)
    with pytest.raises(SourceRefused, match="camera 0"):
        allowed.check_camera(0)


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("http://cams.example/*", "http://cams.example/a/b.mp4?x=1"),
        ("http://cams.example", "http://cams.example/"),
        ("http://*.example/live/*", "http://a.example/live/1"),
        ("http://cams.example:*/*", "http://cams.example:8080/"),
        ("rtsp://10.0.0.7/*", "rtsp://user:secret@10.0.0.7:554/ch1"),
        ("http://[::1]:8080/*", "http://[::1]:8080/a"),
        ("http://cams.example/*", "http://CAMS.example/a"),
    ],
)
def test_a_pattern_matches(pattern, url):
    assert allows(pattern, url)


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        # A star within the host does not reach into path, query or login.
        ("http://*.example/*", "http://evil.test/?.example/"),
        ("http://*.example/*", "http://evil.test/.example/"),
        ("http://cams.example/*", "http://cams.example@evil.test/"),
        ("http://cams.example/*", "http://cams.example.evil.test/"),
        ("http://cams.example/*", "https://cams.example/"),
        ("http://cams.example/*", "http://cams.example:8080/"),
        ("http://cams.example/public/*", "http://cams.example/private/a"),
    ],
)
def test_a_pattern_does_not_match(pattern, url):
    assert not allows(pattern, url)


@pytest.mark.parametrize(
    "url",
    [
        "http://cams.example\\@evil.test/",
        "http://cams.example/public/../private/a",
        "http://cams.example/public/%2e%2e/private/a",
        "http://cams.example/a b",
        "http://cams.example/\nHost: evil",
        "http:///a",
        "http://cams.example:99999/",
        "http://cams.example:0/",
        "file:///etc/passwd",
        "concat:http://a/|http://b/",
        "ftp://cams.example/",
        "http://" + "a" * 3000,
    ],
)
def test_what_two_parsers_could_read_differently_is_refused(url):
    with pytest.raises(SourceRefused):
        SourceUrl.parse(url)


def test_a_login_is_in_no_message():
    url = SourceUrl.parse("rtsp://anna:geh%20eim@10.0.0.7/ch1")
    assert (url.user, url.password) == ("anna", "geh eim")
    assert "geh" not in str(url)
    with pytest.raises(SourceRefused) as refused:
        AllowList([]).check_url(url)
    assert "geh" not in refused.value.message


def test_files_are_where_they_really_are(tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "a.mp4").touch()
    (inside / "link.mp4").symlink_to(outside / "a.mp4")
    (inside / "folder").symlink_to(outside)
    allowed = AllowList(["*.mp4"], inside)
    assert allowed.check_file("a.mp4") == inside / "a.mp4"
    for name in ("link.mp4", "folder/a.mp4", "../out/a.mp4", str(outside / "a.mp4"), "a.mp4\0"):
        with pytest.raises(SourceRefused):
            allowed.check_file(name)
    absolute = AllowList([f"{inside}/folder/*"])
    assert absolute.check_file(str(outside / "a.mp4")) == outside / "a.mp4"
    with pytest.raises(SourceRefused):
        absolute.check_file("a.mp4")


def test_a_star_stands_for_recordings_only_where_it_may(tmp_path):
    inside = tmp_path / "in"
    for folder in ("one", "two"):
        (inside / folder).mkdir(parents=True)
        (inside / folder / "a.mp4").touch()
    (tmp_path / "elsewhere.mp4").touch()
    patterns = ["*", f"{tmp_path}/*.mp4", "two/a.mp4"]
    assert AllowList(patterns, inside).check_file("one/a.mp4") == inside / "one" / "a.mp4"
    guarded = AllowList(patterns, inside, all_recordings=False)
    for name in ("one/a.mp4", str(inside / "one" / "a.mp4")):
        with pytest.raises(SourceRefused, match="control"):
            guarded.check_file(name)
    for path in (inside / "two" / "a.mp4", tmp_path / "elsewhere.mp4"):
        assert guarded.check_file(str(path)) == path


def test_a_folder_with_a_star_in_its_name_is_no_pattern(tmp_path):
    (tmp_path / "a*").mkdir()
    (tmp_path / "ab").mkdir()
    (tmp_path / "ab" / "v.mp4").touch()
    allowed = AllowList(["v.mp4"], tmp_path / "a*")
    with pytest.raises(SourceRefused):
        allowed.check_file(str(tmp_path / "ab" / "v.mp4"))


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.169.254", "0.0.0.0", "224.0.0.1"),
        *("::1", "fe80::1", "fc00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1"),
        *("100.64.0.1", "::", "ff02::1", "192.0.0.192"),
        *("::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b:1::a00:1", "fec0::1"),
    ],
)
def test_addresses_that_are_not_public(address):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_addresses_that_are_public(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f.1", "::1"])
def test_private_hosts_are_refused_however_they_are_written(host):
    with pytest.raises(SourceRefused, match="private"):
        resolve(host, 80, private=False)
    assert resolve(host, 80, private=True)


def test_a_host_that_is_not_there():
    with pytest.raises(SourceError, match="not found"):
        resolve("a..b", 80, private=True)


def test_only_a_host_that_is_written_out_may_be_private():
    url = SourceUrl.parse("http://localhost/a")
    assert AllowList(["http://localhost/*"]).check_url(url)
    assert not AllowList(["http://local*/*"]).check_url(url)
    assert AllowList(["http://*/*", "http://localhost/*"]).check_url(url)


def test_what_a_client_means():
    published = {"hall"}.__contains__
    assert parse_source(0, published) == parse_source("0", published) == NumberedCamera(0)
    assert parse_source("hall", published) == Published("hall")
    assert parse_source("a/b.mp4", published) == File("a/b.mp4")
    assert parse_source("rtsp://h/1", published) == SourceUrl("rtsp", "h", 554, "/1")
    for value in (-1, 256, "999999999999999999999", "", "x" * 2000):
        with pytest.raises(SourceRefused):
            parse_source(value, published)


def test_the_flag(monkeypatch):
    settings = parse_settings(["--allow-source", "0", "--allow-source", "http://a.example/*"])
    assert settings.allow_source == ("0", "http://a.example/*")
    monkeypatch.setenv("ALLOW_SOURCE", "1,2")
    assert parse_settings([]).allow_source == ("1", "2")
    with pytest.raises(BadSettings, match=r"--allow-source.*no pattern for URLs"):
        parse_settings(["--allow-source", "ftp://a.example/*"])
