"""技术合同: technology contracts and their registration by a registrar (认定登记)."""
