"""The domain: what is contracted, who holds it, and every rule about it.

The words
---------
product        something licensed; the *base product* is the one every active user must hold
license type   what a user can hold of a product, named ``product/type``
contract line  from this day on, so many of a license type, with so much overage allowed
pool           the seats of one license type: contracted, assigned, available
overage        seats above contracted that the contract allows at extra charge
holding        a user holds a license type from one moment until another
offer          what an archived user is to get back when reactivated; holds no seat
plan           what a change would do, shown before it is done; every door builds one
change         one applied plan with its entries; append-only and chained
actor          the person acting; a *user* is a person who holds licenses

The rules, by number
--------------------
V1  an active user holds exactly one base license, set on create
V2  at most one license of each product
E1  a license type may ask for certain base licenses        (rows of the catalog)
E2  a license type may ask for ContactPad                   (rows of the catalog)
E3  a license type may ask for WebRTC; nothing not purchased can be chosen
E4  ContactPad is always, optionally or never there with a base license; WebRTC only with it
E5  what a change makes ineligible is lost: named, confirmed, and taken in the same transaction
S1  only active users hold licenses; an archived one has an offer
S2  within contracted fine, within overage only confirmed, above that refused for everyone
S3  the net effect of a plan counts, not the order of its steps
S4  one function takes and frees seats, in one transaction (``assignment``)
S5  however many act at once: never more than the limit, never fewer than could be given
S6  a contract may shrink below what is assigned: nobody loses, nobody new gets
S7  every figure can be recounted from the holdings (``ledger.recount``)
S8  the first admin needs no contract
P1  only admins, and supervisors with *access*, sign in
P2  who views whom (``visibility``)
P3  nobody grants above their own level; a new supervisor starts with *access* and read
P4  figures are for the whole account, names only for those in view
P5  out of view looks exactly like not there
P6  a check looks at the user as they are and as they would be
P7  memberships are set only in groups with write; a group out of view is like one that is not there

The files
---------
Values in, values out, no database: ``errors catalog people eligibility availability``, ``record`` (a
user as they are or would be), ``rights`` (who may do what to whom), ``consequences`` (what a wish makes of
one user), ``plan`` (of all), ``csvfile`` (how any CSV is read) and ``importing`` (a users file becomes
wishes).
With a session and a moment handed in: ``ledger`` (reads), ``visibility`` (who sees whom),
``lists`` (people in order, filtered and counted), ``statements`` (what these ask the database),
``profile`` (one user), ``exporting`` (a list as a users file), ``history`` (writes and proves the change
log), ``changes`` (reads it), ``assignment`` (the one writer), the operations ``users``, ``groups``,
``contracts``, ``installation``, ``sign_ins`` (who is signed in, and until when), ``passwords`` (links to
set one), and ``once`` (a form sent twice has one effect).

Nothing here may import Flask, read a clock of its own, commit, or make HTML.
"""
