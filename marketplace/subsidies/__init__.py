"""补助: which document pays what on a registered technology contract, and how a claim is paid.

Downstream of contracts: their facts arrive with ``ContractRegistered`` and are never read again.
"""
