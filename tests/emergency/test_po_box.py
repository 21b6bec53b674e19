import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.emergency.rules import po_box

BOXES = """
PO Box 12|P.O. Box 12|P. O. BOX 12|p o box 12|POBox 12|PO BOX12|POB 12|P.O.B. 12|Post Office Box 12
Postal Box 12|Post Box 12|Suite 4, P.O. Box 12|P.O Box: 12|PO-Box 12|Box 12|GPO Box 1234|G.P.O. Box 1234
Locked Bag 5|Private Bag 92019|Private Bag X12|Private Mail Bag 12|P.M.B. 12|Caller Box 12|General Delivery
PSC 473 Box 12|Counter Delivery|CPO Box 12|P/Bag 3|Postfach 10 01 23|Postlagernd|Großkundenpostfach
Postbus 123|Antwoordnummer 123|Postboks 12 Sentrum|PL 12|Postilokero 12|Boîte postale 40|BOITE POSTALE 40
BP 40|B.P. 40|BP n° 40|BP40|Case postale 12|C.P. 123|CP 1234 Succ. A|Poste restante|TSA 12345|Apartado 12
Apartado de Correos 12|Apartado Postal 12|Apdo. Postal 12|Apdo. 12|Apartado Aéreo 12|Casilla 12
Casilla de Correo 12|Casilla postal|Lista de Correos|Caixa Postal 12|Casella postale 12|Fermo posta
Skrytka pocztowa 12|Skr. poczt. 12|Poštovní přihrádka 12|Pf. 12|Postafiók 12|Posta Kutusu 12|Kotak Pos 12
Peti Surat 12|Hòm thư 12|Ταχ. Θυρίδα 12|Τ.Θ. 12|Абонентский ящик 12|а/я 12|До востребования
Поштова скринька 12|Пощенска кутия 12|П.К. 12|ת.ד. 12|תא דואר 12|ص.ب 12|ص. ب. ١٢|صندوق بريد 12|ตู้ ปณ. 12
郵政信箱 12|邮政信箱12|私書箱12号|사서함 12
"""
PLACES = """
1 Market Street|12 Boxwood Lane|Box Hill Road 5|1 Boxer Street|Poblado 12|El Poblado, Cra 43A|BP Building
BP Tower, Floor 5|Bp. Kovács u. 4|1 Post Street|12 Post Office Road|The Old Post Office, 3 High Street
Postal Square 2|Postgasse 7|Postplatz 1|Poststraße 12|Postbusstraat 3|Postweg 12|12 Delivery Road
General Street 5|1 General Holmes Drive|Bag End|1 Bag Lane|Private Road 12|Locked Gate Farm|Case Street 4
Casillas 12|Calle Casilla|Avenida del Apartadero 3|Apartamento 12|Apto 12|Apt 12B|Aptdo|Rua da Caixa de Água 3
12 Rue de la Poste|Via Posta 3|Piazza delle Poste 1|Garden Pl 5|Wilson PL 12|Calle Mayor 4, CP 28001
C.P. 28001|GPO Lane 4|Boîte à Musique 3|Rua do Bom Pastor 12|Lista 5|Kotak 12|1 Mailbox Lane|Suite 12
Unit B, 12 P Street|PO Street 12|P Street 12|O Box|Toolbox Yard 5|Gearbox Works|Pfaffenweg 12|東京都港区1-1
서울 강남대로 12|улица Ленина 12|Πανεπιστημίου 12|طريق الملك 12|שדרות רוטשילד 12|ถนนสุขุมวิท 12
"""


def cases(table):
    return [line for row in table.strip().splitlines() for line in row.split("|")]


@pytest.mark.parametrize("line", cases(BOXES))
def test_a_box_a_bag_or_a_counter_is_no_place_to_send_help(line):
    assert po_box(line)
    assert po_box(line.upper())
    assert po_box(line.lower())


@pytest.mark.parametrize("line", cases(PLACES))
def test_a_place_that_sounds_like_a_box_is_a_place(line):
    assert not po_box(line)


@given(st.text(st.characters(codec=None, exclude_categories=[]), max_size=256))
def test_no_text_upsets_the_check(line):
    assert po_box(line) in (True, False)
