from fastrouter.core.dialect cimport Dialect


cdef class Botcore(Dialect):
    cdef readonly dict makers
