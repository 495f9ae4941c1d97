def test_smoke(any_app, make, browse):
    make.user(groups=("A",))
    admin = make.admin("ann")
    page = browse.sign_in("ann", make.password("ann"))
    print(page.text)
    for r in ("main", "products", "details", "filters", "users", "more"):
        browse.region("/licenses/vcc", r)
    sup = make.supervisor("sue", read=["A"])
    make.users(60, groups=("A",))
    browse.sign_out()
    browse.sign_in("sue", make.password("sue"))
    for r in ("main", "products", "details", "filters", "users", "more"):
        browse.region("/licenses/vcc?q=per", r)
    for p in ("accent", "ha", "enc"):
        browse.get("/licenses/" + p)
