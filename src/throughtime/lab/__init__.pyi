from .curves import file_curve as file_curve
from .curves import made_curve as made_curve
from .curves import read_file as read_file
from .given import read_given as read_given
from .server import serve as serve
