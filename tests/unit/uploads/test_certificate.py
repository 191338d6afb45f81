"""FTPS works from the first start on, without anybody making a certificate."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from app.uploads.certificate import CertificateUnusable, make_certificate, tls_context


def test_one_is_made_once_and_kept(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, names=("192.168.1.10",))
    made = certificate.read_bytes(), key.read_bytes()
    assert make_certificate(tmp_path) == (certificate, key)
    assert (certificate.read_bytes(), key.read_bytes()) == made
    tls_context(certificate, key)
    assert key.stat().st_mode & 0o077 == 0
    names = x509.load_pem_x509_certificate(made[0]).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert [str(one) for one in names.value.get_values_for_type(x509.IPAddress)] == ["192.168.1.10"]


def test_files_that_do_not_fit_are_an_error_that_names_them(tmp_path: Path) -> None:
    certificate, _ = make_certificate(tmp_path)
    (tmp_path / "other").mkdir()
    _, other = make_certificate(tmp_path / "other")
    for wrong in (other, tmp_path / "missing", certificate):
        with pytest.raises(CertificateUnusable, match="belong together"):
            tls_context(certificate, wrong)


def test_a_folder_that_cannot_be_written_is_one_too(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CertificateUnusable, match="cannot write"):
        make_certificate(tmp_path / "file")
