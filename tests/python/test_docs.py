import pathlib
import re

import pages
import pytest

DOCS = pathlib.Path(__file__).parents[2] / "docs"
TUTORIALS = [page for page in sorted((DOCS / "tutorials").glob("*.md")) if page.stem != "README"]
RUN = [DOCS / "python.md", DOCS / "coming-from.md", *TUTORIALS]


@pytest.mark.parametrize("path", RUN, ids=lambda path: path.stem)
def test_blocks_of_the_page_run_in_order(path, tmp_path, monkeypatch):
    page = path.read_text()
    if lacking := pages.missing(page):
        pytest.skip(f"needs {', '.join(lacking)}")
    monkeypatch.chdir(tmp_path)
    blocks = pages.blocks(page)
    assert len(blocks) == page.count("```python\n") + page.count("```bash\n") > 0
    assert sum(shown is not None for _, _, shown in blocks) == page.count("```text\n")
    names = {}
    for kind, text, shown in blocks:
        printed = pages.run(kind, text, names, tmp_path)
        if shown:
            wrong = pages.difference(shown, printed, pages.tolerance(page))
            assert wrong is None, f"not printed: {wrong}\nby\n{text}which printed\n{printed}"
    for picture in re.findall(r"!\[.*?\]\((\S+\.svg)\)", page):  # those shown are those drawn
        labels = [re.findall(r'aria-label="(.*?)"', (folder / picture).read_text())
                  for folder in (path.parent, tmp_path)]
        assert labels[0] == labels[1] != [], picture


# Words that users of other tools have on their lips, the tools' own spelling.
WORDS = {
    "CrossSim": "AnalogCore Rmin Rp_row Rp_col Rp_row_terminal BALANCED OFFSET BITSLICED interleaved_posneg Verr_th_mvm "
                "adc_range_option input_bitslicing rows_max vecmat NormalProportionalDevice nonlinear_IV parasitics",
    "aihwkit": "RPUConfig InferenceRPUConfig SoftBoundsDevice ConstantStepDevice dw_min dw_min_dtod dw_min_std w_min w_max "
               "up_down inp_res out_res inp_bound out_bound ir_drop desired_bl TransferCompound drift_analog_weights "
               "w_noise write_noise_std weight_scaling_omega max_input_size GlobalDriftCompensation AnalogSGD",
    "badcrossbar": "r_i r_i_word_line r_i_bit_line applied_voltages currents.output currents.device voltages.word_line",
    "NeuroSim": "subArray ADCprecision cellBit onoffratio vari parallelRead NL_LTP NL_LTD maxNumLevelLTP sigmaDtoD "
                "sigmaCtoC maxConductance wireResistanceRow RealDevice wl_weight wl_activate resistanceOn",
    "MemTorch": "patch_model DoubleColumn line_resistance source_resistance tile_shape ADC_resolution VTEAM naive_tune "
                "FiniteConductanceStates DeviceFaults programming_routine r_on transistor",
    "papers": "FCM NF Cross-NI G_nonideal GENIEx RxNN HSPICE stuck-at sneak half-select SAF retention c2c d2d HWA",
}


@pytest.mark.parametrize("tool", WORDS)
def test_words_of_other_tools_are_found(tool):
    pages_of_words = (DOCS / "glossary.md").read_text() + (DOCS / "coming-from.md").read_text()
    assert [w for w in WORDS[tool].split() if not re.search(rf"(?<!\w){re.escape(w)}(?!\w)", pages_of_words)] == []


@pytest.mark.parametrize(
    "shown, printed, agrees",
    [
        ("97.5 % of 10", "97.4 % of 10", True),  # within 5 %
        ("97.5 % of 10", "80 % of 10", False),
        ("R_on 20 kOhm", "R_on 20 Ohm", False),  # words are literal
        ("took ... s", "took 3.1 s", True),
        ("x = 0.02...", "x = 0.0289", True),
        ("x = 0.02...", "x = 0.03", False),
        ("a\n...\nd", "a\nb\nc\nd", True),
        ("a\n...", "a\nb", True),
        ("a\nb", "a", False),
        ("a", "a\nb", False),
        ("1e-5", "1e-4", False),
        ("-3.0", "3.0", False),
    ],
)
def test_shown_output_is_compared(shown, printed, agrees):
    assert (pages.difference(shown, printed, 0.05) is None) == agrees
