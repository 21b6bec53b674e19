from tests.api.desk import office

def test_x(company):
    a = company.live.made(office())
    print(a)
def test_y(embedded):
    print(embedded.live.refused({}))
