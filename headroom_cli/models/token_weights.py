"""Weights of the token estimate, written by training/tokens.py: do not edit.

Values are hundredths of a token as signed bytes in base64, so that importing this file costs nothing; ``load``
unpacks them at the first count.
"""

# ruff: noqa: E501 - data
from __future__ import annotations

from binascii import a2b_base64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    # weight of the pair of classes (a, b) at a * 128 + b; of a word; of an unknown word by length; of 16-character runs
    Weights = tuple[Sequence[int], Mapping[bytes, int], Sequence[int], Sequence[int]]

_PAIRS = (
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAbX9jaAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAyCX8QAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAABFRfykAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAJH9LfwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAANABQNAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAANgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAG8jKjYAAAAADBYAeBV/DnEAAAAAAAAAAAAAAAAAAAD9ACruDgAWf39/QQABRVsGYWFiVFNcW1NXWCUA2wAAAO9LNTQpPT04OT85ODE3Ozk+OTg9OzA7ODk5OX8AOQAQdvD9/vv7+v8eC/r+5/T/+/78/+P/APH9//z8"
    "aABn/wAA/R1/PAAAAABVFDV/4+vLPQwKAAAAAAAAAAAAAAAAADwyIAzxDDv9KE9PPPxHNyAqRCopOycxOTMvI0ovVRZK2RknPiIgIy4pGyQrLx4/JSomChkbJ0QtJykqUPt/6iBBMURBOjAlNDM+KjhENzshJDk9Mj8xLDsuOj"
    "f5/Vg68QAAAAAAAAAAAAAAAAAAAAAAAAAA938OAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAC5mdAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAD+MAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACBQX8AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQmKhkAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAKzcNfwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAARAACBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABdAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAACtAC6g0AAPsV3ySYAH/FouD3f/pCPQAAAAAAAAAAABKm4wD/Kvp/fyjY/zQbIGYLCgoLCwsLCwsLa+mm6E/2AQEB/gEBAf8BAgIDAP4A/gIBA/7/BAEBAQEB3d47AvkIBQT/BQQGBAQHBAUDCfAJAwQFCgIE"
    "BwQEBATaC9sA9QCBGC2EAAAAAPEMHKUCf3/e/xIWUj4DAAAAAAAAAAAAJgP0AQB/IOTxGx7+cs8VNgIBAgIEAgICAgKv7mQrJyz/LiwsLC8tLC0xLiwuLSwtKy0rLS0tLCwtLS0GABMAIAAoHBccEh0bGxoeGh8WFCEbGx4THB"
    "saGxsbGQAABQkiACb9wJUUAAD39elrfwBO2M5EA39jf0sAAAAAAAAAAADaSTAAAH8HeUd/FQPi88n9EBARDhAREBAQEH9I8hTJ4wA5Ojc4ODk4ODY4ODg4ODg4ODg4OTg5ODg4ODAvLQCvA77EuMTSur/Ez8bIysevksvAsNyz"
    "s7TAw7/E+QAAABMAubv8iwcAAO5QYt68AH9i3LYqBqdZEgAAAAAAAAAAABH2WgAA7QD7r38GACdB8tq/vr+/v7+/v7+/If8o+n/uAHp6enp2enp6enp6enp5enp6enp6enp6enp6AD/qAAAA6wre7unk7+X58Obv3Mfu7erv/+"
    "jl4eXn5eEAAP4A7QAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAycgjxAAAAAHhBxcXxgR32FeMAAAAAAAAAAAAAAAAAB0pLODYrHFBBIlnmf0EYTn9/f39/f39/f39OFzg/NrxOCQMIDhYhFfcbEg0jHCoDExoaHCwSIA0VDBxdWxdgU0EkFA0SFiIbFCEnLT4cHi"
    "QbHygaIi4hGSUuFBE0LV10AAAAAvwAAAAATREA6QD39t0AAAAAAAAAAAAAAAAAAADYBgUTNTHyAvSwCQ3+uEtFV1RVVVVVVVVVVQUjUhkWxgh5eXl2eXl5eXl5eXl5eXl5eXl5eXl5eXl5eRgp+yFOTX9/f39/f39/f39/f39/"
    "f39/f39/f39/f39/Fg1kBAAA5wcAfwIAAAYMOfc7E7SuB1rsAAAAAAAAAAAAAAAAAC1IAFXiqCvkAh48f+0lVydILkIzMjI0KTI3IlfgEwx/0iUvHBscMiQoKyUtIjE0JSsnMyEzIislLSUoGzEVNE8hNDc4SCJBODQvMSwsOk"
    "5DMTUsMypLPkU9Pz4YzOYNGQD8AAAAAAAAAPM3AAD/APgAAAAAAAAAAAAAAAAAAAAAShU1CA4DDt65PAkEf0ofCEFERUdCQkFCQUAE7WdE6wYDf39/f39/f39/f39/f39/f39/f39/f39/f38uHg8jKmBnaGtha2hnal1oamlq"
    "aWhqaGtuaGZoaWhoaAkF4AgXAAAAAAAAAAAAKnYAAAAA2gAAAAAAAAAAAAAAAAAAAABMIlQQFC5TUwwSIg73+jxL9vX4+fb19vb29hQBFQgOBQsBAgH/AQEBAQEBAQEDAQH8AQH/AQEBAQEBAQoKBzEhKmhlZ2VlYWVlZWVlZW"
    "ZlZWVlZmljZWVlZWVl9hQGDAAAAAAAAAAAAAARTgD+AAAAAAcAAAAAAAAAAAAAAAAAAFoH4yQRPUbdO+oJEoEa0hFqZWNraGpsaWpp/91/EwPpBFlaWVlbWVlZWVlZWVxZWVlZWVlZWVlZWVhZHxxh/wIJf39/f39/f39/f39/"
    "f39/f39/f39/f39/f38CIVUJAADXAABAAAAAAAA9AAACAAD6AAAAAAAAAAAAAAAAAAAAEv0KEg3+32X2Jk395SkGHX9/f39/f39/f38eCR8HGg8Df39/f39/f39/f39/f39/f39/f39/f39/f38B/eUDDQ1bXl5eX2FaXmFfX1"
    "1gXF5iaV5lWl9fX19fXxQ9EAQAAKIHFHMAAAAAfz/+BwjZ8ff2UAAAAAAAAAAAAAAAAABWDjElAfko7X0hTi8W/zQpUFNPUE1PUVBQUCX2HBAiG4xOSktFTklGTUlNTEVJRUtMSktMTUhJSktLSuNBJggp9UdQW01TQEtjW09N"
    "U0lUWFVRW0g3TE5RTlBPQRM4KAQAfxXzvAAAAAQAIwDlF00kVQD/AAAAAAAAAAAAAAAAAH+IL+wBGtMXLBI1RX9JLBotIykjHyYoJSckBCc7JQtHrAj9CwoFDP/3AwYHD/wBB/gEBwACBvkGBQQETHgPDexOExkWDSEVFxIcGB"
    "sUFRMOExMPIBMdGBkXFRftXh9YJQAEAwABAAAAAH8zAOvpgTIbWwAAAAAAAAAAAAAAAAAATQr9AgD3+/A3IFE6CPcpNWFhYWFhYWFhYWEc/xoMVH8Xf39/f39/f39/f39/f39/f39/f39/f39/f3/wMDk8F1MVFRUVFRUVFRUV"
    "FRUVFRUVFRYTFRUVFRUVFeQOTw0JAAAAAAQAAAAAfw8ABQcAGTMAAAAAAAAAAAAAAAAAAAAJ7hwGKwAkP08LATkSHEcFf39/fn9/f39/f13ROvsN7/gJCQgMCwcKCg0KCgoKCwsPChAGCQkKCgoKCh9SQRt/Cj5FQENMS0JDRU"
    "VARUNFRUNDRkdNREpFRUVFOzz8CQAAAAAA7QAAAAB/NgAA/RIAAAAAAAAAAAAAAAAAAAAAAFwI98MhBgO1SDVbAzd/BzdxdHt9eXx6enl+/f/pXRZftX9/f39/f39/f39/f39/f39/f39/f39/f39/v/UVBSb/dXJsdnNxbmZl"
    "cnNzcndzc3J0cnlzb3Jyc3NtFkIC8QAyBfQHAAAAAEBKAMEjAO0AAAAAAAAAAAAAAAAAAAAAOA5HfwzsIFAiTgsUC+z8e395dX9/f39/f386LHASFgbSUVNSUVNSUlJSUlJSUVJSUlJTUVNSUlJSUlIYR38ClCJQT0tQS09OUF"
    "4/T01PTFpWT1FHSE5RT1BKT/b1AQj7APT2OhgAAAAAXiYA/9MBHSIAAAAAAAAAAAAAAAAAAABEAj/08ukrERQbKjM4CSZ7V0xSR1dVT0JQQFgnImAVJTY+SjVOQz9CQj1EQj5AN0dKSktDPzM7PUZBQVk1J0PrFkI3SzInPjoo"
    "NUIfOjEYSCU7TSw0ODAlKS05LhXXXx0A5AAAAQAAAAB/VADxHwAAAP8AAAAAAAAAAAAAAAAAAExJKD794wT7QRY8JkgbEClWYT9CPEFCPS8v4QjyxGcA/hAPFREbFBUkGhYZGBMbHhcXHhMdFhcZGRkaGxcfFULrKjYNICQeLS"
    "orIBwfJSclJiVAMxAoExcaHTp0ElDhCAB/AgB/AAAAACwyAAH+36HBAAAAAAAAAAAAAAAAAAAAKhg6xG4o49EbMQcMf1o5An9fZX9tc3h8fHgLH0LO5xn3LD5SLT9XPUNIRT0/Sj5CQkFJPzY/Sz9AQELySdV/W2RGPEM3TUJT"
    "MjA1Qio7Kkw6QUk4LD5RKjQyMj5E60cAAPUAACgAAAAAa38AOC+xgTGYAAAAAAAAAAAAAAAAAABUe1B/ZDIoUid/QUxAaHVmHh8tGyASECQpJlpfSH9pakR4dW9scHJ1d3p4e3h8d3h3eXh4enl3enp5c38raX9QPmxgYWVdW2"
    "tpaWxpa3xsZmNsa2ZpbGlqWmxpQTVPTPgA9QAAKAAAAABUfwA4L7KCMpgAAAAAAAAAAAAAAAAAACJ7YH9kJylSKH9CT1BobVIpHiIhJx0fGCcQdmdNf2dtRGx0a21mcHd5eHd7eH95eXd5d3hzd3Z5e3l4fyhifztAY2lOZ11m"
    "bHVqamtvXmtrZ2xqbGtrcmtpa2pBM1ZN+QD1AAAoAAAAAFN8ADgvsYIymAAAAAAAAAAAAAAAAAAAT3taf2QtK1Yqf0VNRm1dYx4dHh4pIRgRJxtxYkt/dGhFcnNob3J+end4enh4eXd4eXh4eHZ6eXh4d3d/KHN/QT9mY2RzY2"
    "Nra2tqam9daGpiamtjYmxrb2lnaUExVEz5APUAACgAAAAATHgAOC+wgTCYAAAAAAAAAAAAAAAAAAAZe0h/ZCsqUSl/R1QpUXJjGh4jHiIYJyIdGnFiSH9nZkNqb2tybXN4d3d6enh/eXd6eHl1bXh5eHh6bn8lbn9AQF9qZmpd"
    "Y2hra2ttbG5qbGlqamlpaGlrbGlqQTRbTPkA9QAAKAAAAABtbAA4L7GDMpkAAAAAAAAAAAAAAAAAAEJ7TX9kKydTKH9CTi9WYlgTHiMiIBcoHSYqbmNIf2xjRGx1bHFwc3p6eXl4eHd7eHJ3eHh6eXd4d3Z8fylmf0I8Y2prWW"
    "hmbGpqbGlqb2puZ2praGpsa2ppbm1BM1RM+QD1AAAoAAAAAEh7ADgvsYMxmAAAAAAAAAAAAAAAAAAANHtQf2QxKVcpf0NRKlpYaBcnKycgISISJChuYkt/amVEdHN0dHNueHh7eXh6eXl4d3d4d3N6eXh4eHl/I19/NEBeYWBf"
    "Zmlrbmpram1na2tramppa2poamtrbEEzVUz5APUAACgAAAAAT34AOC+xgjGYAAAAAAAAAAAAAAAAAAAde1J/ZConUit/Q1AzWmRmIyUdICIdIiYdKXlhSH9sZURzbHRwcm93eHl5fHl4eXh3d3d4fX18eXl4dX8nc38vP2FgcF"
    "xkZWtpa2xpa2xramxpam1sb2xra2ppQTNVTPkA9QAAKAAAAABPdAA4L7GCMZgAAAAAAAAAAAAAAAAAADN7UH9kKShVKX9DTzVkSVwVGBkvJR0tKR0jb2VJf2tnQ3Jxa3JvcXh3eHZwd315d3l5eHV0dXh5d3h7fylsf0A/WVlj"
    "ZmFVaW5ra2tra2lra2ptampqa21samtBM1VM+QD1AAAoAAAAAFlzADgvsYIxmAAAAAAAAAAAAAAAAAAAOHthf2QrK08qf0NRNGBBXyEhIxobJRomJCR7Y0x/a2ZEcHFub3Btd3d4eHl4dXd3dnh4eXd3eHh4d3l/LGt/PDxmW2"
    "RlbWlraGlsaWpuZWpla2xnamtramhra0EzU0z5APUAACgAAAAAUnMAOC+xgjGYAAAAAAAAAAAAAAAAAAAqe0l/ZCspUil/Q1AwZ09bKxgjIBQkIygdIHheTH9rZkRyb25yc3B5eHl3eXh3eHh7eHh5eHV4eHh6eX8rbn9AP2xj"
    "Z2FiYGltamxrampqamhra25qbGloa3BuQTNQTPkA4QAA+AAAAABpIADkLwAR9AwAAAAAAAAAAAAAAAAAACly+KwCJ0BEa/72JRhUFg09R0g4LjE5NTMyG2tQANj+QygoJCQoKyomJhsnJCwjJiknJy0zJycoJycnFi4mBA40LS"
    "olEDE0MhkzPDIyOScxKy81PS0sODgwMS706FLfRwAHAAD4AAAAAAsWAAGY/v4AAAAAAAAAAAAAAAAAAAAAQWnzBwNB6iMZ5isODVMW4B8iIiIgIiIiIiIM0LI0BAcKf39/f39/f39/f39/f39/f39/f39/f39/f38JHQgTRSwU"
    "DQ4SEhYRERMRERIVEhEQERIUDBETEhEREf8EFBAAAGQOAD4AAAAAAAQAAQD2W1QAAAAAAAAAAAAAAAAAAAAdGBsVDtYwDScBCgJ/NkAnf39/f39/f39/fwkI+gYCJRI5MzQ1SjQ1NTE1NTIzNTI2NTE1LDU1NTU1NfgnBwkAE0"
    "YuMzpDPTc9MDs4Q1FAPTg7RDYyOjs7Ozs76Q4FBgAA5QAAAAAAAABCVwAaAAALFwAAAAAAAAAAAAAAAAAAABc4JFQ/0gcO7wkHDBVTDDtqYmZbW2RiX2FiDAMHCQoGCiAgJCAfHiEgIiAgISARISAgIiEbICAgICAgJ1QWLhAd"
    "HSkrJignLjAmJSgnMDAmKigkGCgoKyklKCjCAw8Y9QBc9gAuBQAA9n8LAD/ekffZJf8AAAAAAAAAAAAAAAAAMe0gfxg5y90SwgQaKkP7IXFqbm9tbGxtbW0X/AIdHNcYP0NBQUE9QUBCQUE/QUE/QkFBRT9CQEJBQkEa/UwF9R"
    "F0dHB1dXRybXJzc3VydnVzc29ydXVwdXNzc1VnER8AAAAAAC8AAAAARTEA3wX9s8MAAAAAAAAAAAAAAAAAAABhKUEDLRn/TXAsBw0bC9UJf39/f39/f39/f/sm4fQOSRlERERERERERERERERERERCRERERERERERERAsfVBgF"
    "GAgICQwICAgICQgICAwGCAgICQsCBwUICAgI/w8OBQAAAAAAAAAAAAAAywAVAAAEAAAAAAAAAAAAAAAAAAAAANkT4wgl/SMk/jT5/QkWF1pYVVhVWFhYWFhYDgwSBgkVX0lJSUlJSUlJSUlJSUlJSklJSUhTSUlJSUlJLPoZNW"
    "QLTEpITz5MPEFMR0dKSkY+OkdKR0xLS0dHR0cTBAMRAABbSwAAAAAAAElLZg8EoT4zCQAAAAAAAAAAAAAAAAAAFmMrf39mYu82W39/F0k4aCIeHCUgIx8fHiQjCVZpf0F/ECEaKCkqHCU3LSUOIAUnITQTHhEvKiorJyw89ysY"
    "sRYbGRPyGg8tFh0aHwUKExkEGBIGABoRHRUeFX9/Dn/pAFxOAAAAAAAASVRmDwShPzMJAAAAAAAAAAAAAAAAAAAVYzd/f2Zi7zZPf38YRj9oHiImIh4lIiEmIysJVml/QX8qJzUjKSEqKBYrKRMxJy8tLCo0LRQoJysnKjn3KR"
    "izFgwcGBkcGBkaDxgYCx0ZBhgaDRoU8hoZGBAcf38Of+oAWU4AAAAAAABIO2YPBKE/MwkAAAAAAAAAAAAAAAAAAAtjL39/aWLuN1N/fxpEOmYdHyEiICMgGx8bLglWbn9BfyMiHiMcGCkVKyYhGSonGyQvIS8aHyopKiUmOfMr"
    "GKsWAxgaGA8XHwEaGxsXERj1FhooIRgFGRsbGRl/fw5/6gBlUAAAAAAAAEJIZg8EoT80CQAAAAAAAAAAAAAAAAAA7WMpf39nYu47U39/GUU1ZCIaISAbJCAkHiQzCVVpf0F/Ki4lKQweKiMZIjArLCYtIzApLiolIygoMCc29S"
    "kYqBQTFxsa9RgbGAMSGBsXGRoZFw8aGQkXGBgcF39/Dn/qAF1MAAAAAAAARVJmDwShPzQJAAAAAAAAAAAAAAAAAAAAYyx/f2Zi7TZGf38OSS5lITYnFSAtGSQECC8MVWt/QX8JHxABPxYpLjQoMScoHyYrKhMREikVKyQmKDns"
    "LRedFBcXFA8YFR4aGBgbDhwGGxgS/AwVFiAc7hsYf38Of+oAU04AAAAAAABITmYPBKE/MwkAAAAAAAAAAAAAAAAAAOFjKX9/Z2LvOFF/fxhJPWAkHx4jIyEdISAkKQlWan9BfxoiJiEaECooECkmJSgpGiYnIiEsJScxKSMnOf"
    "YpGL8WDxkXFwQZJhv/FxkYFxwKFxoUFhcQFxoTGhZ/fw5/6gBeTgAAAAAAAEZRZg8EoT8zCQAAAAAAAAAAAAAAAAAAB2Mzf39nYu02UX9/D0swZSgqKSkpKSgqKCsjCVZqf0F/JygpKREoJSEyKCknJy4fKiguNSQhLCooKCk5"
    "9iMYrRYVGRkZABgYGAsYGBUZGxMXFxQZFxoZHRoZGH9/Dn/qAFdOAAAAAAAASE5mDwShPzMJAAAAAAAAAAAAAAAAAAAIYy1/f2di7TZTf38WSjpfLScnJiknKSkoJykJVmt/QX8SJyMnIiYnKCYpJScpKSMfJyYrFSYmKi4rJz"
    "n0KRirFhoYGRwYGBgZDhoZGhgZDxcYGhgEFxQXGRURf38Of+oAWk8AAAAAAABGSmYOBKE/MgkAAAAAAAAAAAAAAAAAACJjMH9/Z2LmNlJ/fxxPNWMqKC8tKSstKSopJwlWbn9BfzknHConGicuJigoExX+Gh4pLRMNLCYnHigp"
    "OfUqGLIWGhgQ6CIJKBUaGRcXCfMYFxYYEBAZGBcaGBd/fw5/6gBbTgAAAAAAAEZQZg8EoT8zCQAAAAAAAAAAAAAAAAAABWMuf39nYu02U39/FUo5ZiEkKiooKCkoKCkqCVZrf0F/KiklKy8pKSkpKS0xKiYrKCkoECgkKScmKC"
    "c59ikYrhYpGhkWDxkaGB0ZGh4XGQ8XGBgTGBUXGhgYGX9/Dn/qAGBOAAAAAAAARjxmDwShPzMJAAAAAAAAAAAAAAAAAAAOYzF/f2di7TZjf38USzxkKCcnJycqKSgoKSgJVmt/QX80LyopGygoJisoKCkqJi8nKCY2KCsoKCku"
    "Jzn7JxikFhYOGhbxGBgOGBkYGRcYGxgYGRgXExgYGBkZf38Of+oAYEwAAAAAAABJSWkPBKE/MwkAAAAAAAAAAAAAAAAAAAJjL39/Z2L0MVN/fwtJPmEpIygmJicnJikpKAhWan9BfxofLRsMJi0iBicnLTwuCi4rKzAjFCUnJS"
    "spOfQnF6wWBRcYFyEYFxkMIxcgGRf5GBkZGRkZGBgWGhl/fw5/6gBwTgAAAAAAAEVMZg8EoT8zCQAAAAAAAAAAAAAAAAAAE2Mgf39nYuw2Un9/GEo8ZSMhKicrKC0pKigoCFZtf0F/LiQoMA8kLCQgKCYqNSsuIicoIjIiJyku"
    "JSk5+SkYthYLFBwY9BcdFwIlGBkYFg4YGhATGAwYHRcNIX9/Dn/qAEdOAAAAAAAARlZmDwShPzMJAAAAAAAAAAAAAAAAAAAPYyt/f2di6zVNf38XSj1iJCgpJykpKSknKCkJVmt/QX8uKh4jCiAUJh4pLC0mKR4sKickCSwoKS"
    "caJjn3KBeqFgEYGhgtGRwaDBkYGRkZBBkZGRgYBBsaGhwdf38Of+oAW04AAAAAAABGWmYPBKE/MwkAAAAAAAAAAAAAAAAAAPNjLn9/Z2LvPlN/fxFPPGYoJicpKigpKS4qMAlWa39BfxUoJxcnBR4pJCojGysBGDAoDSsdJC8f"
    "JismOv0pF7IWGAAoFxoNHhoaGRwXIBYZBhgMExoPCRQWGRZ/fw5/6gBfUQAAAAAAAEZPZg8EoT8zCQAAAAAAAAAAAAAAAAAABWMuf39nYu42U39/Fks6XykqKiopKSkoKSoqCVZsf0F/KSgoNh8pKSMuKCcKKCklKCsqKxsuKS"
    "klJSc59ioYrhb3FxgaIBgXGxsYF/cWFxoZGPETExkSGRcOGH9/Dn/qAFtOAAAAAAAARlBmDwShPzMJAAAAAAAAAAAAAAAAAAAKYy5/f2di7TVTf38VSjtkKisqKCwoKignKSkJVnB/QX82KCkpLCooJyopJx8pLSYnMysnKRsm"
    "KSkoJzn3KRiuFhoXGBgaGB0ZGxcZGBkbGhcYFxoXBRcaGhgdf38Of+oAW04AAAAAAABIVWYPBKE/MwkAAAAAAAAAAAAAAAAAAPtjNn9/Z2LtNlJ/fxdDOWU0KiYmKiskKSgoLwtWbX9BfxQtGCsGLjUoFickJxQjCiInICsYJy"
    "MlKBYmOfgxGLYWFBgaGPYYFxkcGBgZGBgkGBgXFxkeGxkbFxh/fw5/6gBdTwAAAAAAAEZUaA8EoT8zCQAAAAAAAAAAAAAAAAAA6mMqf39nYukvS39/GVdDYCUtLyooKyorKSkcBFZpf0F/KC8hJhgoKyMVLC4wJSIfKyAmBCEc"
    "JiIoJyM58CkYsxUSGQYXARgYEPMZIx8WBCEMFhkZ4Q8XGxn9Fn9/Dn/qAFhOAAAAAAAARlBmDwShPzMJAAAAAAAAAAAAAAAAAAD0Yi1/f2Zi7TFZf38NPzJoLSUkJionKCcoKygJVWt/QX8aLh4m+zcmGwkpJSokJw4XKyUqJS"
    "knJCwYJznwKheZFA4XFxcNGBj7AhgXFxcZFRkZBRcZFhgZGhQWf38Of+oAW0wAAAAAAABGUGYPBKE/MwkAAAAAAAAAAAAAAAAAACBjMH9/Z2LtNlN/fxVKPGQhMSwpKCkqJygoKQlWaX9BfycpGhkeKB8nKCgrFSs/KBImFQ0c"
    "Ki0lKCUmOfYqF64WGA8YGRgYIBgYGRoXGfkbERcFGAoZFxkZGB1/fw5/6gBbTQAAAAAAAEZQZg8EoT8zCQAAAAAAAAAAAAAAAAAAD2Mrf39nYu02U39/FUo5ZiwmKCcnJicoJycmCVZrf0F/ICcqKBsoKCYkJyoqKi8pLCglJy"
    "coLCcpKSk59ikXrxYHGhkaDxcZGSEaGhseGRQUGhkYFxsZGBgdGn9/Dn/qAF1OAAAAAAAARk9mDwShPzMJAAAAAAAAAAAAAAAAAAD/Yy5/f2di7TZTf38YUjllKTEmKCgrKSgoKikJVmt/QX8ZKCoyHCgnIx8nJyQoJSonJi4f"
    "KigqJigmJzn2KRiwFicXFxoaFxgTIBcZGhoWCBsYDxkZGBkYGhsZf38Of+oAW04AAAAAAABGTmYPBKE/MwkAAAAAAAAAAAAAAAAAAApjMX9/ZmLuNlR/fxJTQGMrKCspKikpKS4qKQlWa39BfyYsKiooJyklJyknKSApKCYqLC"
    "guKCooFyctOfgpGK4WGRMUGRkZGRkZGBcVEBcXGhcZGRcYFxgZFhd/fw5/6gBbTgAAAAAAAEZSZg8EoT8zCQAAAAAAAAAAAAAAAAAA42Mvf39nYu42VX9/CEctZygqKiwoKSkoKignCVZqf0F/LCkyKSgpKigsKSonJSkmJSck"
    "JyooKiwrJyo59ikYqRUOFhkXFBcXGRkaGBsbGQ8ZGBkYGRgWHh8ZGn9/Dn/qAFlQAAAAAAAASk9mDwShPzMJAAAAAAAAAAAAAAAAAAADYy9/f2di7TZTf38VSjlmJyoqKSooKSoqKCkJVmt/QX8rKCspIigqKConKCkrKCsoJy"
    "gvJSQnKykoNDn3IRiuFhoZGRYWGRgYHRoYGRkZFxoYGBgYFBgWGBkYf38Of+oAay8YVgAAAAAJGAAUALslHQAAAAAAAAAAAAAAAAAAAD/DIXkmIlkM2CUzI34Clu5NTz9FUU5XT1FYVgZFLQXvRkNBST9OSUZIWkRHQj5BQ0RF"
    "SEJIR0U6RUVGlnjJf/g6UFFMRkZKREpDTURMTUpIR0lMQkRXSElHSUk2DhYDAwAAAAAaAAAAAAA5AAAAAAAAAAAAAAAAAAAAAAAAAAAANQIZJw1pEF/l+vQTA2lXEX9/f39/f39/f38oHzAlJwIZf39/f39/f39/f39/f39/f3"
    "9/f39/f39/f39FOjwXESVnZHJsaWRpZ2l2Z2hxY2dmZ1JtVkNmbWZnaQlFBxkAAC4AAAAAAAAAJiIAQPndAPkAAAAAAAAAAAAAAAAAAAAgEnsG5hsHEgL6HU/xWRQDUFBQUFBQUFBQUODQWeI1R39KSkpKSkpKSkpKSkpKSkpK"
    "SkpKSkpKSkpKSt9/Ng4sU39/f39/f39/f39/f39/f39/f39/f39/f39/DgJ7BcMAAAAAAAAAAAAALgAAAAAAAAAAAAAAAAAAAAAAAAAAACYNPgYHDBEc8hADBAY2HyB/f39/f39/f39/GyQZLQAQIHNzc3Nzc3NzcnNzc3Rycn"
    "Jzc3NycnJzc3NzLwr4EDwmf39/f39/f39/f39/f39/f39/f39/f39/f39QOArxBwAAAADbAAAAABUvAAMAAPkOAAAAAAAAAAAAAAAAAAAAFf05BSg0EzhNB0cG5Y9Vt39/f39/f39/f3/6FOgcIQYGT2Jwf11QZWJeYFxhU2Fu"
    "WVViTGNZZWRhZmRXN/QHDXY0FSAsJicrKDsdHSszLSgoITAhHh8pHCUyKdpnShobAAMAAEUAAAAIBCwAAAAAAAAAAAAAAAAAAAAAAAAAAABJLSEleBH9fzJAITYOekIY/v7//////////xwL/ig49vw9RkVFRkZBQ0VJRUZIR0"
    "ZFRUZJRUZFRUVFRfwlJBg8H15dX2FeX19cYGNfYGpfXl1eX1leXVlaXlheBywTSvAA8BMA8AAAAABgX+DwSH9J84EAAAAAAAAAAAAAAAAAABdYU+RbHWIIKFIvYCgxDCExL0I7LjQuKTUwTjkqQ2xJf2JlZV9dZGZjS2VmY2Bd"
    "YWFmYWNbZGdmZ2RkPARIUCsfERQB9T4n/0YYOxH/A/U8EUD1DgI4EhEIDBJQSkN/3gD0CQDwAAAAAF9i6fBIf0TzgQAAAAAAAAAAAAAAAAAAIVhA5lseYgYlSi1fMyghDScuLzowMjErMTNFOSlEW0l/ZGFkZGNjZWRlZGRiY2"
    "RXYGFjW19fZGVjZWRFAE1QIBwSHT1AETxNURUdQhUtRQk/SCUoOw1ORUUyR1BKTn/eAOoQAPAAAAAAZVfg8Eh/SvGBAAAAAAAAAAAAAAAAAAAXVkzmXR5iFSdKLV1AJCUlKywvLz8uLC0uNUA5KTtiR39eXWFkYV9tXGBjYGNe"
    "ZGFnZWNhZ2JiYmRjZUkNU1A2IhgxGzICPDcAAT73IDs8EDxu/TUPFz08QCovTkpNf94AEhAA8AAAAABPcN3wSH9I84EAAAAAAAAAAAAAAAAAABlWMOhaHmQADz4uYisnGS4sLysuKycsLzUrSzclTnJIf2FqUllYUmJjYWFiZl"
    "1gWVZhZlxFYWJjZGRhUAZVUBAZESw6LgEvKFcTFkYaNDUWM0gfITQaPj9LJEVRSlp/3wALAADwAAAAAFBz4PRIf0rzgQAAAAAAAAAAAAAAAAAAFFUy5lgWZPsSQTxeKBoXJjAsLTQqODQpOjRKRSg8YkZ/TTtDXVNLXWFIXl1a"
    "WFxdWF1jTz5gV2RkYWJJBzZQExkWGAcGGw0aNAcnNQkP8y8fF/0GFWE5+QAxKk9KT3/dAOgKAPAAAAAAXWrg8Eh/SfGBAAAAAAAAAAAAAAAAAAAwWD3mWx5iDSFOLV9BMgcQLSo1LDIuLi8sMFA5KkRjSX9mXm1kZGVkY2RmZG"
    "VkW2NkYmZlXWJiZ2NjY0YJS1A0HhE+NiQZDzpCBkNDEzg0DUJMMiQjGD5DRTNNUEpPf98A+wcA8AAAAABgVeDvSH9J9YEAAAAAAAAAAAAAAAAAAAZZP+ZbHGECIUAtXSwnERw0MzQ3NjUzNjU3VDcmUG9Mf3lqbWxoY2FiaGZl"
    "ZGZkZF9lZF1iX2RiZGZoSBVIUCwhEkVKUwtOOBEdQkElLCf7RDwRLTwqS1I/KjRaSlJ/3gDuAgDwAAAAAGFt5PBIf0nygQAAAAAAAAAAAAAAAAAAHlk85lsdYg4bUy1gRCIXOjY4PTIzNjY1MTZQOys5Y0h/U2JhY2NgYmRfY2"
    "NkZmFbXWNkVmZjX2JjZ2NKBUhQKSAgOzpEG0FKQS4+J0Y/PAY1Rikx6BVIMkM5RFBKUH/eAOMQAPAAAAAAZGnY8Eh/SvSBAAAAAAAAAAAAAAAAAABGVz7mWx1iER5JLWBBHRcvPy44NTYzMTQ0NlI4KUhhQH9rdmNiZGJkY2Vi"
    "Y2JiZGRhYmRjZGJkYmNlZkkJS1AlIBQU+P8MBwJJUQ8fEQ/4/hE6CgEBSBxBIj8JUEpNf94A/gAA8AAAAABbZ+DwSH9J84EAAAAAAAAAAAAAAAAAAEZYQeZgHmIIGkotXzMjIh82NzY1NTc2NTc2UDspQWJHf2ZiZmNlZGNkZm"
    "ZkZGhjZGFiZmRiamVkZWhmSQJHUB8eFz05OghGQEMwRDVDRTsoPjpDJEQ9SEJBQDdQSk5/3gAZBwDwAAAAAGF+3fBIf0nzgQAAAAAAAAAAAAAAAAAADlo15lseYv0UUC1fKBwIIjg1MTg4NTU1NDc+NypDX0l/ZmdjYWVjYmNO"
    "ZWJjWWNfZGVlUmNjZGNiZWZJ/UpQEh44O1NADjIhQBE+QEpBI1BKO1QjKjhEKEJLPlBKTH/eABsKAPAAAAAAZmTY8Eh/SfKBAAAAAAAAAAAAAAAAAAAaXDjpWx9hEQlLKmMlIQsPNzcyNDY4MytANj08JEVmSndYZF1lYGBmXm"
    "JnY2BmXl9hZF5fWWBfYmRkZlHnTlAfHxFEPAQIODc0DjMyEUA4DTg/NyAIByg8PhlFUEhPf94ADw0A8AAAAABOZefxSH9Q9IEAAAAAAAAAAAAAAAAAAAZdMeZbJmMBGEsxXSwXByQzMzU2NzU3ODc9VjgnRGhGf19iYGRhX2Nj"
    "XmZiYGpkY2BnY2VZZWtjZGRkQwdKUAwiDgxKN/9DMmAiPT8nDDUYFjtHITAqPVBQJDtRSlF/5gABEwDwAAAAAGNL5OlIf0n0gQAAAAAAAAAAAAAAAAAAK1ZA3lwaYwEYQixQKxwOKTBELBwrODc0NjpMNypPYkV+UVtOXWRWZW"
    "JSZV9WYFhaYGNRVlZeXm5ja2RV4lBQFiEYOgocGisGFyBfJCs3DyceQTkhFyAwOTc5SlBNUH/eAPgMAPAAAAAAY2Te8Eh/SfSBAAAAAAAAAAAAAAAAAAAXWT7mWx5j/xpCKl9FGxwQODQzMTg2NDU2NVA6KEhoSH9uZ2dgYGBi"
    "ZGFmZV5hYl1iZF9eYGFkY2RmZEkDUFAeHC8JCg0gCRs+KzQRDhjyCxpQ8hEV/xT/HCpAUEpQf94A7goA8AAAAABZauDwSH9J8oEAAAAAAAAAAAAAAAAAACdZLuZbHmIIIkstXjsXKi46MTEuMTg3ODk3VDQxSVtGf2JlYWBlYW"
    "RkYmNlZl9jYmNlT0twZGVhZGNkRAZPUCQoEz8/HP89OiArPTD/Kjn2D0MMHw0pRUgfOkJSSlB/3gD9CgDwAAAAAF1n4PBIf0nzgQAAAAAAAAAAAAAAAAAAPlg15lseYgcXSy1fPBsbJzU6MzQ2NTU1NTRKOipCYkd/ZGRiZGVk"
    "Y2RmZGRiZWVkYmRkZWRiZWZjZGNJBkpQJRxFRkBEQUQ/RUpFRh9AP0JDRENESPZGRj1CRVBKTn/eAPIOAPAAAAAAYV3h8Eh/SfOBAAAAAAAAAAAAAAAAAAAcWj7mWxtiExBLK18tKiI3Ni07OTE1NjY2NVJDLUpTSn9cY1VYUl"
    "thYFpkYWNbYWJlY2dfXmFkZGNjY0/1QVAjGgxPHRYJMiIyD0IhOBoUAS4zKyskJShJNhIxTUhaf94AAAwA8AAAAABcXeb0SH9K74EAAAAAAAAAAAAAAAAAAPtbL+VbJmISITUrWygaGRgzNzE9Njc4NjU2Rz4kQWNCf11kWmta"
    "ZWJoYWJaXFlhXWZjV1FRVmJbY2JmSgZLTxcgF14QPwk2MxMROzwqQRolHS8zBQwRNCZCHi5OSkd/1QD2CADwAAAAAFhh3+5If0j0gQAAAAAAAAAAAAAAAAAAElE35lsaY/gXQCtfJy0YFDIzLzM2NjQ3NjdUPCI6ZEh/VV5YYV"
    "RMW1xNYGFZT05fUGRNR1VfXWBiZGVC+0xQFxsVQyYuBy4yAgg8SCEgRSEhQgkUGxNE/zIJTlBMTH/fAPb/APAAAAAAXmzi8Uh/SfOBAAAAAAAAAAAAAAAAAABNWEHmWx5i/BpJLWA9JR4mIjozLzc3NTU0NVA8KkViSH9jYmRk"
    "Y2RjY2NkYmRnZGRlZGNjYWRjZWRkZUkJSlA0HgkFAQ8NJCc9IEYzAAQBQww68Pz7SjREMDZFUEpOf94A/hEA8AAAAABgaN7wSH9J84EAAAAAAAAAAAAAAAAAADFYPOZbHmAKFkctYTMUFC0vPTYzNjZFNjM0SjopP15Hf2RmZG"
    "NjY2NkY2NhZWJjY2RiZF9fYmRkZGVlSgpKUDAeEjQ/QPlELkEYQTw/QEMBP0A3Q0A9SD1ATEdQSk5/3gAEBwDwAAAAAF1p4PBIf0nzgQAAAAAAAAAAAAAAAAAAKVhI5lseYgciUS1gPi0WFTU8Ni82NzU2NjdCOiZJZUl/Zmdj"
    "amNjX2FiZWNlZVVsZWZhWmZiXWRjZWNIAUtQIBobNDg9Gkk/IhVESTNHFg5CSSwOO0E+QFJFQFBKTn/eAAAKAPAAAAAAV1zg8Eh/SfCBAAAAAAAAAAAAAAAAAAArWDLmWx9iCBVIKl86GSolNCk+MjkwNDQeNE4mJkNjRn9ZYm"
    "FgX15lZmtkY2tpZ2VpZmBXYmNaZmNkY0oDTlAaISczHUoeREA0K0RFOi9ERShDSD4ROUFBEDNEUEpKf94AAgcA8AAAAABcUdzrSH9J94EAAAAAAAAAAAAAAAAAAPVbOOZbHmMAF0osVCAYETI5OjQ2NjY2NjU3TTwrQE5Ff2tj"
    "VltkYFdkaWFjYGNeYWNhaG1NZWNiYmNmRQdFUBchMDA1RyFBP0QsN1QzMSkeJUJNIiJBQDVEHTZRR0d/3gD/AwDwAAAAAF1k4PBIf0nzgQAAAAAAAAAAAAAAAAAAKFg65lseYggbSi1fMR8aIDc3NzY3NTc1NTZIOilEYkd/ZG"
    "NkY2NjY2NkZWRmZGdkZGhkZGRoY2RlZGVJAkpQHh4jQktFET1GPzBHQ0JAMEE/QklBNhRBP0E4NFBKTn/eAAAAAP4AAAAACycAAO/a/AoAAAAAAAAAAAAAAAAAAAAXQhgfC/Q98n8FdSH/Ax85QEJBQkJCQkJCQgQHywUNPkgf"
    "Hx4eHh8eHh4eHh4eHh4eHh4dHh4eHh4eHigpBAUJ/kdCRUVEQUtLRUZHR0hGSUhGSkFJSEJHRUZGKwQvCQQAAAAAAAAAAAAAKQANAQAAAAAAAAAAAAAAAAAAAAAAAEQCAyURGQklewoY8w82C1UICAgICAgICAgI8AQsQBAkBm"
    "RkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZAYMC000SkpJS0lJSkpKSklKSkxKSkpKSEhKSkpKSkoPAwMHHwD5AAAAAAAAAGcnAAYCAQBK3AAAAAAAAAAAAAAAAAAAMPsZDRcbHzYVMvFGKvwM4B4eHh4eHh4eHh4wEi8HC/d/"
    "f39/f39/f39/f39/f39/f39/f39/f39/f3/wREXtIQFCQkJCQkFCQkNCQkJCQkJCQkJBQkJCQkJCQuw3ZP0HAAAAAAAAAAAA/0EACQAAAAAAAAAAAAAAAAAAAAAAAAARHTQHDPEEJw/+Cv8FT2pUcHFwcHBwcHBwcBcJBKcBCA"
    "NtbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbQo5FhQkLXt3eXp4eXl5eXl5eXl5eXl5eXZ5eXl5eXl5BhYGEwAAAAAAAAAAAAAAJgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD4AAQA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAfwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
)
_WORDS = (
    "AI AM An As At By CC CD CR DE DO De Do Ex FF Go ID IE IN IO IS If In Is It JK MB MS My NO No OF OK ON OP OR OS Ok On Or PM PR Pr Ps RE RS Re Se So To US Vi We aa ab ac ad"
    " ae af ai al am an ap ar as at au ba bb bc bd be bf bg bi br bu bw by ca cb cc cd ce cf ch ci cl cm co cp cr cs ct da db dc dd de df di do ds du dw ea eb ec ed ee ef el e"
    "m en er es et ex fa fb fc fd fe ff fg fi fn fo fp fr fs ga gc ge gg gi go gr gs gt ha he ho ic id ie if im in io ir is it ja je jp jq js kB ka ke ko ld le li ll lo ls lt "
    "lu ma md me mi ml mo ms my na nb nd ne ng ni nl no ns nt nu of ok ol om on op or os ot ou pa pe pi pl po pr ps pt px py qa ra rb rc rd re ri rl rm ro rs rt ru rv rw rx ry"
    " sa sc se sh si sk sm so sp sr ss st su sw ta td te th ti to tr ts tt ty ui ul um un up us ut va ve vi vs wi wq xr yw ze ABC ALL AND API AWS Add All And Any App Apr Are A"
    "ug BAD BOM BUF Big But CLI CPU CUT Can DIR DOS Dec Did Don END ENV ESC EXE End FIL FOL FOR Feb Fix For Fri GET GNU GTK GUI Get How ICE IDs IPv ISO Inc Jul Jun Key KiB LMN"
    " LOW Let Log Lua MAP MAX MDI MIT Mac May MiB Mon NIL NOT New Non Not Nov Now OLE One Our PFX PUT Pro REP RFC RSS Run SAL SHA SID SIG Sat See Set Sun TAB TCL TUV Tab Tag T"
    "cl The Thu Try Tue UPP URI URL USE UTC UTF Use VIM Vim Web Wed Why Win XML Yes You abc abs acc act ada add ads afa aff age all alt amd ame amp and any api app apt are arg"
    " arm art ask ass ast att aws bab bad bar bas baz bed big bin bit ble box btn buf bug but can cap car cat cdn cfg cli cls cmd col com con cpp css cur cut dac dad day dcd d"
    "dd deb ded dee def del den der des dev did die dir div dll doc dom don dos dot due eba edu end ent env err est etc exc exe exp ext far fee few fff fil fit fix fmt foo for"
    " frm fun gen get gif git gnu got gui had has her hex his hit hls hot how hpp idx ile img imp ind ine ing ini ins int ion ipv isn iso ist ite its job jpg kan key len les l"
    "et lib lin lld loc log lot low mac man map max may mch mem men met mid min mod msg nIf nam nav net new nil non nor not now npm nul num obj odd ode off old one ons opt ord"
    " org ort our out own par pdf per php pid pip pkg png pop pos pre pri pro pub put que ran raw red ref rel req res ret rev rol row rss run say sdk sec sed see sep seq ser s"
    "et sha she sin six son spl src srv ssh ssl sta std ste str sub sug sum svg swp sys tab tag tar ten ter tes the tip tmp too top tra try two txt typ uid upd uri url use usr"
    " utf val van var ver via vim was way web who why wid win won www xid xml xrm xxx yes yet yml you zip zsh Also CTRL Code Ctrl Data Date Diff Done Each Edit FGHI FILE FLAG "
    "File Find From Full HEAD HELP HOME HTML HTTP Help Here Host INFO JSON Last Like Link List Make Mark Math Mode More NAME NULL Name Need Next None Note Once Only Open PATH "
    "POST Page Path Perl Read Ruby SIZE SOFO Save Some TEST TODO TYPE Test Text That Then They This Time True Unix User View What When With Your able addr adds also apps area "
    "aren args aria attr auth auto back bare base bash been best beta bind blob blog blue body bold bool both bugs byte call card care case cast char code come conf cont copy "
    "core cost curl dark data date days deal deep dict didn diff disk dist docs does done down drop dump each easy echo edge edit elif else ends enum eval even ever exec exit "
    "expr exrc face fact fail fast feed file fill find fine flag flow font fork form four free from full func geom gets give glob good grep gvim gzip half hand hard hash have "
    "head help here high hjkl hold home hook host href html http iccf icon idea impl info init into item iter jobs join jpeg json just keep keys kind know lang last lazy lead "
    "left less libc like line link list live load lock logo long look loop made mail main make many mark mean menu meta mind misc mock mode more most move much must nThe name "
    "need news next nice nocp node noic none note null once ones only open over page pair para part pass past path pipe plan play plus port post prev pull push rate read real "
    "repo repr rest role room root rows rule runs rvim safe said same save says seen self send sent show side sign site size skip slow some soon sort span spec stat step stop "
    "such sure swap sync tags take task team tell temp term test text than that them then they this thus time tion toml tool tree trim true turn type uint undo uniq unit upon "
    "used user uses util venv very view void wait want warn wasn ways week well were what when wide wiki will with word work wrap yaml year your zero ASCII About After Agent A"
    "llow Array Basic Build Check Could DEBUG Debug ENTER ERROR Email Enter Error False Field Files First Found Given Hello Image Intel Issue Linda Linux Motif Other POSIX Pat"
    "ch Shift Since Start State Steve Store Tests There These Tools Usage Users Using VALUE While World Write about above added admin afile after again agent alert alias align"
    " allow alone along alpha among apple apply array arrow ascii aside asked async attrs avoid await aware based basic batch begin being below blank block bound break build b"
    "uilt bytes cache calls cases catch cause chain chars check child chunk class clean clear click clone close cloud codes color comes comma const could count cover cross cst"
    "ag debug defer delay depth doesn doing drwxr dummy early email embed empty endif enter entry equal error event every exact exist extra fails false fatal fetch field files"
    " final first fixed fixes flags float flush fname focus force forms found frame fresh front fully given gives gmail going graph great green group guess guide haven heads h"
    "ello hints hooks hours hover https human icons ident image index inner input intro issue items keeps known label large later learn least leave level light limit lines lin"
    "ks linux lists loads local logic login looks lower macOS magic major makes match maybe means media merge might mixed model month mount moved multi named names needs never"
    " newer newly nodes notes occur offer often older order other pages pairs paper param parse parts party paste patch paths photo place plain point posts power print prior p"
    "roxy query quite quote raise range reach reads ready redir refer regex reset retry right round route ruler rules saved scale scope seems sense setup sfile shape share she"
    "ll shift short shown shows since sizes slash sleep slice small smart solid solve space speed spell split stack stand start state stats stdin steps still store story strip"
    " stuff style suite super table taken takes tasks terms tests their theme there these thing think third those three throw times title today token tools topic total touch t"
    "race track tries tuple tutor twice typed types under union units until upper usage users using utils valid value video views vimrc wants watch wheel where which while whi"
    "te whole whose width words works world would write wrong xmlns years yield ANCHOR Accept Access Adding Always Apache Author BUFFER Before Buffer Cannot Change Client Crea"
    "te DELETE Device Editor Ensure Escape FAILED Failed Filter Format GitHub Global Google Handle Header Ignore Insert Module Normal Number Object Option Output Please Policy"
    " Public Python README Reilly Remove Report Return Riders STATUS Scheme School Search Server Should Simple Source Status String System Update VIMRUN Visual Window accept a"
    "ccess across action active actual adding allows almost always amatch amount answer apache appear append around arrays assert assets assign assume author backup banner bec"
    "ome before behind better beyond binary blocks border bottom branch broken buffer builds button cached called caller cannot caused causes cdpath center change checks choic"
    "e choose client closed colors column coming commit common config cookie copied copies couldn course create crypto cscope cursor custom debian decide decode define degree "
    "delete depend design detail detect device dialog differ digits direct docker domain double driver during easier easily editor effect either elseif enable encode endfor en"
    "ding endtry engine enough ensure entire errors escape events except exists expand expect export extend factor failed family faster fdopen fields figure filled filter fini"
    "sh folder follow footer format future github giving global google ground groups gvimrc handle happen having header height helper hidden higher iconic iframe ignore images"
    " import indeed indent inline inputs insert inside invoke issues itself kernel kwargs labels lalloc lambda larger latest latter layout legacy length letter likely limits l"
    "isted little loader locale locate logged logger longer lookup making malloc manage manual mapped margin marked marker markup master matrix matter medium member memory mer"
    "ged method middle minute mobile models modify module months mostly native needed nested newcli nofork normal notice notify number object obtain occurs offers offset onlin"
    "e option origin others output params parent parsed parser passed passes people period person placed places player please plugin points policy prefer prefix pretty printf "
    "prompt proper public pytest python quoted quotes raised random rather reader really reason recent record reduce regexp region remain remote remove render repeat report re"
    "scue result return review robots sample schema scheme screen script scroll search second secret secure select semver series server shadow shared should signal signed sile"
    "nt simple simply single sizeof social socket source spaces sphinx square stable starts states static status stderr stdout stored stream strict string strong struct styles"
    " submit subset suffix switch symbol syntax system tables taking target tested thanks things though thread throws toggle tokens topics trying turned typeof typing ubuntu u"
    "nique unless unlock unpack unused update upload urllib useful values vendor verify vimrun visual volume wanted weight wheels widget window winpos within writer Because Co"
    "mmand Content Control DEFAULT Default Example However Instead Invalid LICENSE Library License Michael OPTIONS Options Project Reading Returns Running SPECIAL Service Sett"
    "ing Support Unknown VERSION Version WARNING Windows Working accepts account actions address against allowed already another appears applied archive article attempt backen"
    "d because between boolean browser calling capture careful certain changes channel charset checked classes columns command comment compare compile compute confirm connect "
    "console contact contain content context control convert correct counter created creates current default defined deleted depends desired details dirname disable display dy"
    "namic earlier editing effects element enabled encoded exactly example exclude execute extract failure feature filters finally finding flatten follows formats forward furt"
    "her general getting greater handled handler handles happens headers helpers helpful history holland however ignored imports improve include indexOf inherit initial inspec"
    "t install instead integer invalid keeping keyword leading libcurl library license limited listing literal loading logging looking machine manager mapping matched matches "
    "maximum meaning members message methods minimal minimum minutes missing modules mpluggy mpytest network newline nothing numbers objects options outputs outside package pa"
    "dding parsing partial passing pattern pending percent perform plugins pointer present prevent primary printed privacy private problem process produce product profile prog"
    "ram project provide publish purpose quality quickly reading reasons receive records recover regular related release removal removed replace reports request require resolv"
    "e results returns reverse running runtime scripts seconds section sending servers service session setting several shouldn sidebar similar skipped smaller someone special "
    "specify sponsor started storage strings subject success summary support symbols systems targets termcap testing through timeout trigger twitter unicode unknown updated up"
    "dates upgrade usually utility various verbose version viminfo virtual visible warning whether widgets windows without working wrapped wrapper writing written Argument Bui"
    "lding Checking Consider Encoding Examples Expected Facebook Function Improved Internal Language Learning Location MzScheme NetBeans Optional Oualline Security Software St"
    "andard Transfer absolute abstract actually addition advanced affected allowing although analysis anything approach argument attempts backends behavior boldfont building b"
    "usiness callback category changing checking checkout children combined commands comments compiled compiler complete consider contains contents continue controls coverage "
    "creating creation database datetime defaults describe designed detailed detected directly disabled document download duration elements encoding endwhile evaluate examples"
    " executed existing expanded expected explicit extended external facebook fallback features feedback filename finished fixtures followed function generate geometry handlin"
    "g hlsearch hostname identify identity included includes increase indicate instance intended internal involved keywords language location manually matching messages metada"
    "ta modified multiple negative newlines nofollow normally occurred operator optional original overflow override packages parallel password patterns physical platform posit"
    "ion positive possible possibly powerful practice presence previous priority probably problems produced produces products progress projects properly property protocol prov"
    "ided provides question quickfix readonly received recently recovery redirect register registry relative releases relevant remember removing replaced reported requests req"
    "uired requires resolved resource response retrieve returned searches sections security selected selector separate sequence services settings shortcut slightly software so"
    "lution specific standard starting strategy suitable supplied supports template terminal timezone together trailing transfer triggers tutorial username variable verified v"
    "ersions vertical vimtutor warnings wrapscan TypeError arguments attribute available bootstrap character completed configure container correctly currently described determ"
    "ine different directory exception following functions generated highlight important including incorrect installed instances interface necessary operation otherwise parame"
    "ter processed published reference remaining requested resources signature something specified statement structure supported timestamp transform undefined variables PostSc"
    "ript VIMRUNTIME ValueError additional annotation associated attributes background characters collection comparison compatible completion components configured connection "
    "considered containing definition dependency deprecated developers dictionary difference documented equivalent everything exceptions explicitly expression extensions foreg"
    "round generating generation ignorecase individual isinstance javascript mPreparing management miniconfig nohlsearch operations parameters particular previously processing"
    " production properties regardless repository resolution stylesheet successful understand unexpected validation whitespace application connections constructor description "
    "development environment immediately implemented information interactive performance permissions placeholder applications architecture contributors dependencies distributi"
    "on installation instructions nocompatible notification requirements specifically successfully documentation"
)
_WORD_WEIGHTS = (
    "/gX9BAAD/PoCAwEA+QT6ARECEAL5/gYA+QX+A/7+A+P3AQfqAgECBAIHA/8DBQICCRL7AQf7/gYLBgn8Df4VBAMdDfsA+/b4E/b8+f39ABEC+gH/DAIIBgAA9wAB+AD/6f8Z+PoTBP3q/P37AwQEAfIBDxb3/f7//P/2Bf8B/w"
    "sBAAzx/wb+AQIH9QIEBA0JCB4CAgUZDv8wHfv1/PsBCf8B/QQFCfgICgIDA/EcAgH0/wn6AQQP7AIK9/79+/sNBvf/+gQA/v0BAwMBBgARAd8CAAEA/wEL/wIF/xIBA/gK/v8N/+kGAv//Hf4CCRH9//798vUDAAT++QEGDPYC"
    "9RL8/vwFAQIB/wEBBQHy+vj69gQM/wYC/P7/AAAMAAIB+gUA7gIBAv8EAQf/Afn5/wz//Af9/fz/AP79CAL+/g8HBQL//wEA/QAG/wUCAwD4+w0I2w0AAP8AAvkAAwEBAPwBAAIEBvf8AAQBAf/4+AH6Af0C8v8AAP8NAP8CAf"
    "///gb5/wIB//wA/QEWAgQAAPsM7vsAFQb//gIA/t7jAv4L+wcABA74AALzAPf9BAAMBf30Cvr7//X58/sF/gL/AwAAB/8CBAX49vwPCAEQ4/kLBAkAA/8A9iwEBQv0Df/wAwUDAQX4AQAC7gQSAPwF+AEY9wwBBRP7AgL+BvgF"
    "+wH57AD/AP8K/gz+/v7++gAA9vf39QkECQsA9/4JBfwADAf/BwH/AgAA/wn8Af/5/w8CEf8N/O0BBvgM/wgJGgEYB/cACRD5Av0q+AUJ/fYACxECAQAI+/8CCP8H/RoHAQEA/gQD+wEDCgEE+xb7AP8B/QL3+wkAAP0ABwUECP"
    "UCE/8R/gQC/Q8B+wEBARIE6/4AAQHqBvn9AvkR/QEJDQrp8/8AAv/8AOsACAL8++z//QP7Af4ECv4BAv0F+wAa/wD+CgEAAPoA/gPy/AP/+/4CAQMD+/37CP4AEwMAAAQBAwAFCgUBAAABA/72AhEGAwUBEwL7/w3/AgIB/wX5"
    "AP71APj6+QTiAAMACvYMAfz/EfQC+v4J/wPrFPwCCQLzEgL0BPUU+AEACQP9APb9/gAQAOQDBQD++wEADAQS/QQDBvoBAQIL/P4AAAX9+x39AQUP6Pj8DAL29gf9/wUC+QYDCP8CA////Av7A/b/ARH9Cf/+9QDz+QH28v4NCP"
    "n/APYB9gnt9ff+AP/9AP/6FPII/QED+g8EAv4A7BH1FwX+/QIDBhMKCgkA8/0e9QEIAAIAAgT96AAIAgn9BQPcBAj9FQQD/QEKAvwIBPwDDQ/8/wb9FggFB/z2/woA/f/tA/z8//z79f4C/gL9CgAEAgQEEAL4EQL5+wL8/Q8N"
    "6P4BD/sGAgoADAP5//IAC/cHBPoCAAoCAv8I9wIABvv/Af7+/Ar//gUR/g8D/vz69gr8Av7+AAwC/QcP/Pz/Cv0G8P/7/gHzAQP//AIC+P8AAgMAAwEE//8CAPv//gAH////AQf7AuEB+wgDAxH7/AABAP4E/PUBBAEC6vP/9Q"
    "IF7wAAAwv39QEE9/8A/f0QBv4AAgICAvAC/AUG9vgE9wED9AICAgIA/gPwAvoC9Pz9+AEGAQQJAhgDAwT+BwD6APwHB/H6/QAA9QH5/QLz//8B/AIC/OwA/gD8CQMDAP/9APv5/PcB+wP7BgL8AxEE/wHuAQcF+gD1//gS/uD9"
    "/Pr9Cv75AAP5AQQA//8DBAH5Bf7+/QEC/wX+/gf+APn9BA8N/fwAAAMJ/QP/Av0B/fECBAj96hEA7/78/gH+AAEB/AoNAwoACv3//v8E+QD9/wIABwL7B/n/+gH/AgL/A/sC//z//wcTAQj9Af/7//IFCAwLA/3/8/YEC/gIBv"
    "v7/f8C+v4CAv/1/gf+AhUCAQL0Bf8ECQEC/Af8BA32/vv7+f8J9fv6CwDxCAUBAv8F+f3/AP0F/v4ACgD7/AL5Bf4AAwH+//0C//4GAfsA/gAF/wT2Afz++wAEAAAC/vn//wEAAAMB/QABAgL3/wEEBgEJ/godBf4B/wAA8gMC"
    "/w/+AALyAAHz/v8ECwD+/gcG/QIHAvMEAfoEAPX+AAH/AvkD/+QEAO4BBAH09QIA/AL48gMU9wEBAPT/CwH7+wAD/v/+Awb7AgEA//36AQL+9gQBAgACAf0C+Afn///7B/38/f/8/gAACgH//fz7/wUG/QHz8gEO/vf++wr6/v"
    "37AP0Q+uP/Au0C+Pv//vz75v4AAQEGAPwC8v/9/f8A9AT6/vf/7f3++wACBAb+/AD5AgDzEgAD/gH92v/5/f7+/AT//vvz+fYA+f3+7vwDDQAGBQoG9wIA/AADAgH8//wE/gL2CwIDAfgI8QAB/wX/Bgv5CgD8AvwBDfQC/QAA"
    "++L2//kAAQP8+gUT/QMM/QH0AQL3AgABCgL6AP38DAn8AAQHAAIJ+/wC8AEUAuv7+fr6+/Tx7QP/+gIABAEC//sAAAAB/QwN+QD/Af7t+P4DCfkEAv7/Af//7v0A9vn+/wX6/AEEAP8D/vv+//4D/gIDAPwB/v/w/f72/vv//P"
    "T7/Pv4/QD9B/8B+P/4BQAFAQABFvz79/797ewDAfn7+foC/hgIBgIJ/P8D+fj+AwTx/f38+QAAAP/3AP//8v//6f8F/AT/BQH9+/wCAwH++AIC+/kA7QAA+gQCCQP+8f32DQIBAP0CAOwEAAEK/vX9APsA+vL/Ae35/v//AwX0"
    "AQLzBAHy+/P+/un5Af0B/AP0AQAAAP30AvT6+AMC9ucC7wP9/P39APn/AQD4+f7/AfkC+AH0+gL6+/fuBQP/AgAI+f/8/AL+Afz0/gH/7wX79wD7/P78BP/+/wH08/sCA/8CAgD8F/0D//P7+//1Bfj5AAD5AwD+A/z99gH/A/"
    "cB/QACBf8C+/8A6AD//vYAAAHuA/8F+/r4/wH58f8A/QD4/gPx/vkG/g8L/P8BAQIL7/7/AQAC+PcB+AL5BwH6CAH/APkDAgH/AQP+//AIAP0J/v0IBv7//fz/AQD/////8AP+Av8AAv3//AEC/gYC/vn9+f/h/AAEA/8G//4B"
    "AAQEAP7/APoCCAEE7/0B/f8DAP/9AfL4BPD9/QH/Avz5/AH8/QIDAwH7AP0ABPvZ///+/fkHBAAAAALp/vcF/wYAAQD7/gP+/wIBAAD+7usF+/v6/wL9APgD9gf1+Pv++/zz9PUFAP78/P/z/f/v+gAA+vn/+O0A+wL/+QLq//"
    "3m/fwB/wH9/uz/A/z5Bf0EAPkB/gH4AgEA/gME//fw/QECA/v+AQIC+Pz9/fT9//z//wHz6v3u//oB+en9Aer9/ff19vv9/AH2/gD26A=="
)
_LENGTHS = (
    0,
    32,
    44,
    57,
    42,
    50,
    53,
    41,
    45,
    27,
    37,
    30,
    43,
    0,
    -6,
    -16,
    1,
    -44,
    -50,
    1,
    -31,
    -35,
    -80,
    -29,
    -59,
    -21,
    -65,
    -38,
    -8,
    -50,
    -43,
    -26,
    -28,
    -8,
    1,
    -25,
    -14,
    29,
    -1,
    139,
)
_RUNS = (-100, -216, -96, -124, -120, 3, -97, -183, -228, -251, -5, 3, 44, -72, -57, -52)
_loaded: list[Weights] = []


def load() -> Weights:
    """Return the weights, unpacked once per process."""
    if not _loaded:
        pairs = memoryview(a2b_base64(_PAIRS)).cast("b")
        words = dict(zip(_WORDS.encode().split(), memoryview(a2b_base64(_WORD_WEIGHTS)).cast("b"), strict=True))
        _loaded.append((pairs, words, _LENGTHS, _RUNS))
    return _loaded[0]
