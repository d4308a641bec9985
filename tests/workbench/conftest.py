"""What tests of pages need: the browser that those of the service's page have."""

from tests.serve.page.conftest import browser as browser
