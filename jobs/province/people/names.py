"""Made-up names of districts and institutions."""

import numpy as np
import numpy.typing as npt

from jobs.province.arrays.draws import Ints

_FIRST = "安宁青云清明永和新东南北江海长平金银龙凤石松柳桃梅兰竹福寿德仁光华兴盛"
_SECOND = "阳山河州泉溪湖林浦陵川城门桥宁丰泰康安原台关田塘滩岭坪庄口"
_WORDS = (
    ("第一人民医院", "中心医院", "附属医院", "中医医院", "大学医院"),
    ("第二人民医院", "区中心医院", "中西医结合医院", "区人民医院", "骨科医院"),
    ("社区卫生服务中心", "镇卫生院", "街道卫生服务中心", "中心卫生院"),
    ("诊所", "中医诊所", "门诊部", "口腔诊所"),
    ("大药房", "药店", "医药连锁店", "药房"),
    ("村卫生室",),
)


def district_names(rng: np.random.Generator, count: int) -> npt.NDArray[np.str_]:
    """Names of districts, all different as long as there are enough."""
    numbers = rng.permutation(len(_FIRST) * len(_SECOND))
    return np.array(
        [
            _FIRST[number % len(_FIRST)] + _SECOND[number // len(_FIRST)]
            for number in numbers[np.arange(count) % len(numbers)]
        ]
    )


def institution_names(
    rng: np.random.Generator, sort: Ints, district: npt.NDArray[np.str_]
) -> npt.NDArray[np.str_]:
    """Names of institutions by sort: where it lies, what it calls itself, what it is."""
    first = rng.integers(0, len(_FIRST), len(sort))
    second = rng.integers(0, len(_FIRST), len(sort))
    word = rng.integers(0, 60, len(sort))
    return np.array(
        [
            f"{district[i]}{_FIRST[first[i]]}{_FIRST[second[i]]}{_WORDS[s][word[i] % len(_WORDS[s])]}"
            for i, s in enumerate(sort)
        ]
    )
