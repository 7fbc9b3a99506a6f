"""Boards in pictures: found, refined, calibrated from by the command, and printed."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from egorear_ros.calibration import AprilGrid, Board, BoardError, CharucoTarget, board_yaml, parse_board
from egorear_ros.calibration.coverage import Coverage, drawn
from egorear_ros.calibration.detection import BoardDetector
from egorear_ros.calibration.live import LiveSession
from egorear_ros.calibration.refinement import Refiner
from egorear_ros.calibration.rendering import BoardRenderer, Imperfections
from egorear_ros.calibration.target_pdf import PAPERS_MM, POINTS_PER_M, board_pdf
from egorear_ros.capture import CapturedFrame
from egorear_ros.cli.calibrate_target import BOARDS
from egorear_ros.cli.main import main
from egorear_ros.rig import Rig, load_rig
from egorear_ros.rig.rigid import transform_points
from test.calibration.helmet import facing, seen, worst

CHARUCO, APRIL = CharucoTarget(7, 5, 0.06, 0.045), AprilGrid(4, 3, 0.09, 0.3)
FRONT = ("front_left", "front_right")


def front_pair() -> Rig:
    return load_rig("ego4view").subset(FRONT).resized(480, 480)


@pytest.mark.parametrize("board", [CHARUCO, APRIL], ids=["charuco", "aprilgrid"])
def test_corners_are_found_and_refined_to_hundredths_of_a_pixel(board: Board) -> None:
    camera, rng = front_pair()["front_left"], np.random.default_rng(4)
    pose = facing(rng, board, camera, 40.0, 0.35)
    camera_from_board = camera.camera_from_device @ pose
    image = BoardRenderer(board, camera.model, samples=3).render(camera_from_board, rng, Imperfections(noise=2.0))
    ids, pixels = BoardDetector(board).detect(image[..., 0])
    truth = dict(zip(*seen(camera, board, pose), strict=True))
    assert len(ids) >= 8  # two tags; of most others the refinement below finds the corners
    off = [np.linalg.norm(at - truth[corner]) for corner, at in zip(ids, pixels, strict=True)]
    assert np.median(off) < 0.3

    def expected(points: np.ndarray) -> np.ndarray:
        return camera.model.project(transform_points(camera_from_board, points)) + np.array([0.6, -0.4])

    everything = np.array(sorted(truth))
    refined, agreement = Refiner(board).refine(image[..., 0], everything, expected)
    error = np.linalg.norm(refined - np.array([truth[corner] for corner in everything]), axis=-1)
    assert np.isfinite(error).mean() > 0.9
    assert np.nanmedian(error) < 0.03
    assert np.median(agreement) > 0.95


def test_a_hidden_corner_is_not_refined() -> None:
    camera, rng = front_pair()["front_left"], np.random.default_rng(4)
    camera_from_board = camera.camera_from_device @ facing(rng, CHARUCO, camera, 20.0, 0.35)
    image = BoardRenderer(CHARUCO, camera.model, samples=2).render(camera_from_board, rng, Imperfections())[..., 0]
    project = lambda points: camera.model.project(transform_points(camera_from_board, points))  # noqa: E731
    x, y = project(CHARUCO.corners_m[:1])[0].astype(int)
    image[y - 12 : y + 12, x - 12 : x + 12] = 90  # a finger
    refined, _ = Refiner(CHARUCO).refine(image, np.array([0, len(CHARUCO.corners_m) - 1]), project)
    assert np.isnan(refined[0]).all()
    assert np.isfinite(refined[1]).all()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Pictures of the front pair, one folder per camera."""
    rig, rng, root = front_pair(), np.random.default_rng(0), tmp_path_factory.mktemp("pictures")
    renderers = {camera.name: BoardRenderer(CHARUCO, camera.model, samples=2) for camera in rig.cameras}
    for name in rig.names:
        (root / name).mkdir()
    for number in range(12):
        pose = facing(rng, CHARUCO, rig.cameras[number % 2], (20, 35, 50, 62)[number // 2 % 4], 0.36)
        for camera in rig.cameras:
            image = renderers[camera.name].render(camera.camera_from_device @ pose, rng, Imperfections(noise=2.0))
            cv2.imwrite(str(root / camera.name / f"{number:03d}.png"), image)
    return root


def test_the_command_writes_a_rig_with_its_report(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine.yaml"
    assert main(["calibrate", str(folder), "--board", CHARUCO.text(), "--out", str(out)]) == 0
    rig, truth = load_rig(out), front_pair()
    assert rig.names == FRONT
    px, metres, degrees = worst(rig, truth)
    assert px < 0.5
    assert metres < 1e-3
    assert degrees < 0.1
    for camera in rig.cameras:
        assert camera.model.image_circle_radius_px == pytest.approx(240, abs=6)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"mine.yaml", "mine.png", "mine_report.json", "mine_report.png"}


@pytest.mark.parametrize("spoil", ["no board", "blur"])
def test_bad_pictures_give_a_reason_and_no_file(folder: Path, tmp_path: Path, spoil: str, capsys) -> None:
    for name in FRONT:
        (tmp_path / "in" / name).mkdir(parents=True)
        for path in sorted((folder / name).iterdir()):
            image = cv2.imread(str(path))
            if spoil == "blur":
                image = cv2.GaussianBlur(image, (0, 0), 9.0)
            elif name == "front_right":
                image[:] = 90
            cv2.imwrite(str(tmp_path / "in" / name / path.name), image)
    out = tmp_path / "out" / "rig.yaml"
    out.parent.mkdir()
    assert main(["calibrate", str(tmp_path / "in"), "--board", CHARUCO.text(), "--out", str(out)]) == 1
    error = capsys.readouterr().err
    assert "front_right: the board was found in 0 of 12 pictures" in error
    assert ("front_left" in error) == (spoil == "blur")
    assert not list(out.parent.iterdir())


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nowhere"], "no folder or bag 'nowhere'"),
        ([], "give folders or a bag, or live cameras"),
        (["--source=0,2", "--names=a"], "1 names for 2 sources"),
        (["--source=0,2", "--size=big"], "'big' must be like 1280x960"),
        (["--source=0,2", "--keep=/usr"], "'/usr' is not an empty folder"),
    ],
)
def test_wrong_inputs_are_named(arguments: list[str], reason: str, tmp_path: Path, capsys) -> None:
    out = str(tmp_path / "rig.yaml")
    assert main(["calibrate", *arguments, "--board", CHARUCO.text(), "--out", out]) == 1
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize("board", [CHARUCO, APRIL, CharucoTarget(6, 4, 0.03, 0.02, "5X5_100", legacy=True)])
def test_boards_are_read_back(board: Board, tmp_path: Path) -> None:
    (tmp_path / "board.yaml").write_text(board_yaml(board), encoding="utf-8")
    assert parse_board(str(tmp_path / "board.yaml")) == board
    assert parse_board(board.text()) == board


def test_kalibrs_aprilgrid_is_read(tmp_path: Path) -> None:
    text = "target_type: 'aprilgrid'\ntagCols: 6\ntagRows: 6\ntagSize: 0.088\ntagSpacing: 0.3\n"
    (tmp_path / "april_6x6.yaml").write_text(text, encoding="utf-8")
    board = parse_board(str(tmp_path / "april_6x6.yaml"))
    assert board == AprilGrid(6, 6, 0.088, 0.3)
    bottom_left = board.corners_m[3]  # of tag 0
    np.testing.assert_allclose(bottom_left[:2], [0.0264, board.size_m[1] - 0.0264], atol=1e-9)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("chess:8x6", "neither a .yaml file nor like charuco"),
        ("charuco:8x6,square=0.03,marker=0.04", "must be smaller than the square"),
        ("charuco:8x6,square=0.03", "a field is missing"),
        ("charuco:8x6,square=3 cm,marker=0.02", "square_m must be a number"),
        ("charuco:20x20,square=0.03,marker=0.02,dictionary=4X4_50", "needs 200 markers"),
        ("aprilgrid:6x6,tag=88", "must be a length in metres"),
        ("aprilgrid:1x6,tag=0.08", "2 to 40 columns and rows"),
    ],
)
def test_boards_that_cannot_be_are_refused(text: str, reason: str) -> None:
    with pytest.raises(BoardError, match=reason):
        parse_board(text)


@pytest.mark.parametrize("paper", PAPERS_MM)
@pytest.mark.parametrize("kind", BOARDS)
def test_printed_boards_have_their_true_size(kind: str, paper: str) -> None:
    """The rectangles of the page, drawn by other code, show every corner where the board says it is."""
    board = parse_board(BOARDS[kind][paper])
    pdf = board_pdf(board, paper).decode("latin-1")
    per_m = (61 if kind == "charuco" else 20) / board.pitch_m
    numbers = re.findall(r"^([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+) re$", pdf.partition("\nf\n")[0], re.MULTILINE)
    boxes = np.array(numbers, float) / POINTS_PER_M
    height = float(re.search(r"MediaBox \[0 0 [\d.]+ ([\d.]+)\]", pdf)[1]) / POINTS_PER_M  # type: ignore[index]
    low = np.array([boxes[:, 0].min(), height - (boxes[:, 1] + boxes[:, 3]).max()])
    image = np.full((int(board.size_m[1] * per_m) + 40, int(board.size_m[0] * per_m) + 40), 255, np.uint8)
    for x, y, w, h in boxes:
        left, top = (np.array([x, height - y - h]) - low) * per_m + 20
        image[round(top) : round(top + h * per_m), round(left) : round(left + w * per_m)] = 0
    ids, pixels = BoardDetector(board).detect(image)
    assert len(ids) == len(board.corners_m)
    np.testing.assert_allclose((pixels - 20) / per_m, board.corners_m[ids, :2], atol=1.5 / per_m)


def test_a_board_larger_than_the_paper_is_refused() -> None:
    with pytest.raises(BoardError, match="1000 x 800 mm, too large for A4"):
        board_pdf(CharucoTarget(10, 8, 0.1, 0.075), "A4")


def test_the_command_prints_a_board(tmp_path: Path) -> None:
    assert main(["calibrate", "target", "--out", str(tmp_path / "board.pdf"), "--paper", "A4"]) == 0
    assert parse_board(str(tmp_path / "board.yaml")) == parse_board(BOARDS["charuco"]["A4"])
    assert (tmp_path / "board.pdf").read_bytes().startswith(b"%PDF-1.4")


def test_coverage_says_where_the_board_is_missing() -> None:
    coverage = Coverage(100, 100, 50.0)
    assert coverage.missing() == ["rim, everywhere", "half way out, everywhere", "middle, everywhere"]
    turn = np.arange(8) * np.pi / 4
    for reach in (0.2, 0.5, 0.8):
        around = 50 + 50 * reach * np.stack([np.cos(turn), np.sin(turn)], -1)
        coverage.add(np.repeat(around, 3, axis=0))
    assert coverage.share == 1.0
    assert coverage.missing() == []
    coverage.counts[2, 6] = 0
    assert coverage.missing() == ["rim, top"]
    picture = drawn(coverage)
    assert "." in picture[0]
    assert "." not in picture[-1]


def test_live_pictures_are_taken_of_a_board_at_rest_where_it_is_new() -> None:
    rig, rng = front_pair(), np.random.default_rng(2)
    renderers = [BoardRenderer(CHARUCO, camera.model, samples=1) for camera in rig.cameras]
    session = LiveSession(CHARUCO, FRONT)

    def look(pose: np.ndarray, time_ns: int) -> tuple[str, ...]:
        images = [
            renderer.render(camera.camera_from_device @ pose, rng, Imperfections(noise=1.0))
            for renderer, camera in zip(renderers, rig.cameras, strict=True)
        ]
        return session.offer({c.name: CapturedFrame(time_ns, i) for c, i in zip(rig.cameras, images, strict=True)})

    first, second = (facing(rng, CHARUCO, rig.cameras[0], angle, 0.4) for angle in (10.0, 40.0))
    assert look(first, 0) == ()  # whether it rests is known at the second look
    assert look(first, 1) == FRONT
    assert look(first, 2) == ()  # nothing new
    assert look(second, 3) == ()  # in motion
    assert look(second, 4) == FRONT
    assert session.moment == 2
    assert [picture.moment for picture in session.pictures.of["front_left"]] == [0, 1]
    assert any(line.startswith("front_right: show the board at rim") for line in session.missing)
    assert len(session.lines()) == 11
