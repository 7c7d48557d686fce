"""Alarms about collection itself: what a collector process tells of itself, not what a device reads.

They are no catalogue rules, because there is nothing to replay: a report holds only what is so now.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from energy_center.domain.alarms import Priority
from energy_center.domain.site import Text
from energy_center.domain.supervision import Trouble
from energy_center.rules.rule import RuleTexts

SOURCE = "engineering practice: limits in energy_center/domain/supervision.py"


@dataclass(frozen=True, slots=True)
class CollectionAlarm:
    """One kind of trouble, how urgent it is, and what people read about it."""

    rule_id: str
    priority: Priority
    texts: Mapping[str, RuleTexts]

    def name(self) -> Text:
        """Its name in both languages."""
        return Text(zh_tw=self.texts["zh-TW"].name, en=self.texts["en"].name)


def _alarm(trouble: Trouble, priority: Priority, zh_tw: RuleTexts, en: RuleTexts) -> CollectionAlarm:
    rule_id = f"collector-{trouble.value.replace('_', '-')}"
    return CollectionAlarm(rule_id, priority, {"zh-TW": zh_tw, "en": en})


COLLECTION_ALARMS: Mapping[Trouble, CollectionAlarm] = MappingProxyType(
    {
        Trouble.SILENT: _alarm(
            Trouble.SILENT,
            Priority.HIGH,
            RuleTexts(
                name="收集程式沒有回報",
                likely_causes=("收集程式已停止或當機", "收集主機斷電或網路中斷", "收集主機連不到資料庫"),
                what_to_check=(
                    "收集主機上的服務狀態與記錄檔",
                    "主機電源與網路",
                    "DATABASE_URL 與資料庫連線數",
                ),
                safety="",
                suggestion="重新啟動 `energy-center collect`；停止期間的讀值無法補回，已在暫存區的自動送出。",
            ),
            RuleTexts(
                name="Collector is silent",
                likely_causes=(
                    "The collector process was stopped or has failed",
                    "Its machine has no power or no network",
                    "Its machine does not reach the database",
                ),
                what_to_check=(
                    "State and log of the service on the collector's machine",
                    "Power and network of that machine",
                    "DATABASE_URL and the number of connections that the database allows",
                ),
                safety="",
                suggestion="Start `energy-center collect` again; what was not read meanwhile is lost, "
                "what is in its spool is sent by itself.",
            ),
        ),
        Trouble.DROPPING: _alarm(
            Trouble.DROPPING,
            Priority.HIGH,
            RuleTexts(
                name="暫存區已滿，讀值遺失",
                likely_causes=("資料庫中斷太久", "收集主機磁碟已滿或寫入失敗"),
                what_to_check=(
                    "資料庫是否可連線",
                    "收集主機的磁碟空間與健康狀態",
                    "暫存區大小與最舊未送出時間",
                ),
                safety="",
                suggestion="先恢復資料庫或清出磁碟空間；最舊的讀值先被捨棄，數量顯示於設備頁。",
            ),
            RuleTexts(
                name="Spool is full: readings are lost",
                likely_causes=(
                    "The database has been away for too long",
                    "The collector's disk is full or fails",
                ),
                what_to_check=(
                    "Whether the database answers",
                    "Free space and health of the collector's disk",
                    "Size of the spool and its oldest unsent reading",
                ),
                safety="",
                suggestion="Bring the database back or make room on the disk; the oldest readings go first, "
                "and the page of devices counts them.",
            ),
        ),
        Trouble.BACKLOG: _alarm(
            Trouble.BACKLOG,
            Priority.MEDIUM,
            RuleTexts(
                name="讀值延遲送達資料庫",
                likely_causes=("資料庫曾中斷，仍在補送", "資料庫寫入太慢或連線不穩"),
                what_to_check=("設備頁的最舊未送出時間是否縮短", "資料庫負載與磁碟", "收集主機的網路"),
                safety="",
                suggestion="補送期間圖表與報表不完整，補完後會自動更正。",
            ),
            RuleTexts(
                name="Readings reach the database late",
                likely_causes=(
                    "The database was away, and the backlog is still being sent",
                    "The database takes too long to write, or its connection is poor",
                ),
                what_to_check=(
                    "Whether the oldest unsent reading on the page of devices gets younger",
                    "Load and disk of the database",
                    "Network of the collector's machine",
                ),
                safety="",
                suggestion="Until it is sent, charts and reports are incomplete; they correct themselves.",
            ),
        ),
        Trouble.SITE_REFUSED: _alarm(
            Trouble.SITE_REFUSED,
            Priority.MEDIUM,
            RuleTexts(
                name="新的案場檔被拒絕",
                likely_causes=("案場檔或設備設定檔有錯誤", "收集主機上的檔案與已套用的不同"),
                what_to_check=("設備頁所列的錯誤", "以 energy-center site check 檢查檔案"),
                safety="",
                suggestion="修正後再次套用；在此之前收集程式沿用舊的案場檔。",
            ),
            RuleTexts(
                name="New site file was refused",
                likely_causes=(
                    "The site file or a device profile has mistakes",
                    "The file on the collector's machine is not the one that was applied",
                ),
                what_to_check=(
                    "The mistakes listed on the page of devices",
                    "The file with energy-center site check",
                ),
                safety="",
                suggestion="Correct it and apply it again; until then the collector works from the old one.",
            ),
        ),
        Trouble.UNKNOWN_POINTS: _alarm(
            Trouble.UNKNOWN_POINTS,
            Priority.LOW,
            RuleTexts(
                name="未登錄點位的讀值另存",
                likely_causes=("收集程式的案場檔尚未套用到資料庫",),
                what_to_check=("以 energy-center site plan 比較檔案與資料庫",),
                safety="",
                suggestion="執行 energy-center site apply;另存的讀值隨後會自動補入。",
            ),
            RuleTexts(
                name="Readings of unknown points are set aside",
                likely_causes=("The collector's site file is not applied to the database yet",),
                what_to_check=("Compare the file with the database by energy-center site plan",),
                safety="",
                suggestion="Run energy-center site apply; what was set aside is stored by itself then.",
            ),
        ),
    }
)
