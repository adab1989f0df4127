"""An institution's claims and patients, compared with its peers."""
